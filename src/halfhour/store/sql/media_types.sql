-- The media types of posted figures in an interval.
select distinct media_type
from posted
where
    interval_start >= $start and interval_start < $end
    and media_type is not null
order by media_type
