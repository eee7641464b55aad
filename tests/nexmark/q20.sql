select auction, bidder, price, channel, url, b."at" as "at", item, initial, seller, category, expires
from bids b join auctions a on b.auction = a.id where category = 10
