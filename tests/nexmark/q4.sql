select category, avg(final) as average
from (
  select max(b.price) as final, a.category from auctions a join bids b
  on a.id = b.auction and b."at" between a."at" and a.expires group by a.id, a.category
)
group by category
