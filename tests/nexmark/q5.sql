with windows as (
  select auction, unnest(generate_series(time_bucket(interval 2 seconds, "at") - interval 8 seconds, time_bucket(interval 2 seconds, "at"),
                                         interval 2 seconds)) as start
  from bids
), counts as (select start, auction, count(*) as n from windows group by all)
select start, auction, n from counts qualify n = max(n) over (partition by start)
