select a.id, item, seller, category, bidder, price, b."at" as "at", b.extra as extra from auctions a join bids b
on a.id = b.auction and b."at" between a."at" and a.expires
qualify row_number() over (partition by a.id order by price desc, b."at") = 1
