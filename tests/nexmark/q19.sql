select auction, bidder, price, "at", row_number() over (partition by auction order by price desc, "at") as rank from bids qualify rank <= 10
