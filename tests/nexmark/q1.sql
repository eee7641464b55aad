select auction, bidder, price * 0.908::double as price, "at", extra from bids
