select auction, price from bids where auction % 123 = 0
