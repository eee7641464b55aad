with sold as (
  select a.id as auction, seller, price as final, b."at" as "at" from auctions a join bids b
  on a.id = b.auction and b."at" between a."at" and a.expires
  qualify row_number() over (partition by a.id order by price desc, b."at") = 1
)
select seller, auction, avg(final) over (partition by seller order by "at" rows between 10 preceding and current row) as average
from sold
