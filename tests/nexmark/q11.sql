with marked as (
  select bidder, "at", coalesce("at" - lag("at") over (partition by bidder order by "at") >= interval 10 seconds, true)::int as first from bids
), numbered as (select bidder, "at", sum(first) over (partition by bidder order by "at") as session from marked)
select bidder, count(*) as n, min("at") as start, max("at") + interval 10 seconds as "end" from numbered group by bidder, session
