select auction, bidder, price, "at", value from bids join side on auction % 100 = side.key
