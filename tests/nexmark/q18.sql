select auction, bidder, price, channel, url, "at", extra from bids
qualify row_number() over (partition by bidder, auction order by "at" desc) = 1
