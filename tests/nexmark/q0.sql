select auction, bidder, price, "at", extra from bids
