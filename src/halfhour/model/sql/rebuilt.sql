-- What conversation aggregates should say, made from the values of conversation details.
select
    epoch_ms(emitted_at) // $width * $width as interval_ms,
    agent_id,
    queue_id,
    media_type,
    sum(value) filter (where metric = 'tHandle')::bigint as handle_ms,
    nullif(count(*) filter (where metric = 'tHandle'), 0) as handle_count,
    sum(value) filter (where metric = 'tTalkComplete')::bigint as talk_ms,
    sum(value) filter (where metric = 'tHeldComplete')::bigint as hold_ms,
    nullif(count(*) filter (where metric = 'tHeldComplete'), 0) as hold_count,
    sum(value) filter (where metric = 'tAcw')::bigint as acw_ms,
    nullif(count(*) filter (where metric = 'tAcw'), 0) as acw_count,
    sum(value) filter (where metric = 'tContacting')::bigint as contacting_ms,
    sum(value) filter (where metric = 'tDialing')::bigint as dialing_ms,
    sum(value) filter (where metric = 'tAlert')::bigint as alert_ms,
    sum(value) filter (where metric = 'tNotResponding')::bigint as not_responding_ms,
    nullif(count(*) filter (where metric = 'tNotResponding'), 0) as not_responding_count,
    nullif(count(*) filter (where metric = 'tAnswered'), 0) as answered_count,
    sum(value) filter (where metric = 'nTransferred')::bigint as transferred_count
from emitted
where
    emitted_at >= $start and emitted_at < $end
group by all
