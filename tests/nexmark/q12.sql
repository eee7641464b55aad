select bidder, count(*) as n from bids group by bidder
