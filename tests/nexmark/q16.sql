select channel, "at"::date as day, max(strftime("at", '%H:%M')) as minute, count(*) as total_bids,
  count(*) filter (price < 10000) as rank1_bids,
  count(*) filter (price >= 10000 and price < 1000000) as rank2_bids,
  count(*) filter (price >= 1000000) as rank3_bids,
  count(distinct bidder) as total_bidders, count(distinct auction) as total_auctions
from bids group by channel, day
