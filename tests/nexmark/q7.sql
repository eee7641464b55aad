select auction, price, bidder, "at", extra from bids
qualify price = max(price) over (partition by time_bucket(interval 10 seconds, "at"))
