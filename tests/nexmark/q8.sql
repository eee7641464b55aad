select p.id, p.name, time_bucket(interval 10 seconds, p."at") as start
from persons p join (select distinct seller, time_bucket(interval 10 seconds, "at") as start from auctions) a
on p.id = a.seller and time_bucket(interval 10 seconds, p."at") = a.start
