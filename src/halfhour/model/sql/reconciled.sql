-- Handle time three ways, by agent and day (UTC): as aggregates post it, as details have
-- posted it, and as it was worked; and what the differences come from, which add up.
-- Only of days that both sources have, as far as both have them.
with days as (
    select
        epoch_ms(window_start) // 86400000 as day,
        epoch_ms(window_start) as start_ms,
        epoch_ms(min(window_end)) as end_ms,
        epoch_ms(min(read_at)) as older_ms,
        epoch_ms(max(read_at) filter (where source = 'details')) as details_ms,
        epoch_ms(max(read_at)) - epoch_ms(min(read_at)) as apart_ms
    from settled
    where
        source in ('posted', 'details')
        and window_start >= $first and window_start < $last
    group by window_start
    having count(*) = 2
),

-- By interval: what aggregates say, and what details do.
aggregated as (
    select
        epoch_ms(interval_start) as interval_ms,
        agent_id,
        sum(handle_ms) as posted_ms
    from posted
    group by all
),

detailed as (
    select
        epoch_ms(emitted_at) // $width * $width as interval_ms,
        agent_id,
        sum(value) as rebuilt_ms,
        list(distinct conversation_id) as conversations
    from emitted
    where metric = 'tHandle'
    group by all
),

intervals as (
    select
        days.day,
        agent_id,
        coalesce(posted_ms, 0) as posted_ms,
        coalesce(rebuilt_ms, 0) as rebuilt_ms,
        coalesce(posted_ms, 0) - coalesce(rebuilt_ms, 0) as differs_ms,
        coalesce(conversations, []) as conversations,
        -- What the older reading could not know: what was told or put right until the other, if
        -- that came later by an interval or more, and what was only just over. Of conversations
        -- that began days before, details know only what has reached the data lake.
        list_contains($young, days.day) and (
            apart_ms >= $width
            or interval_ms + 2 * $width > older_ms
            or (differs_ms > 0 and interval_ms + 86400000 > details_ms)
        ) as may_be_late
    from aggregated
    full join detailed using (interval_ms, agent_id)
    inner join days on interval_ms >= days.start_ms and interval_ms < days.end_ms
    where posted_ms is not null or rebuilt_ms is not null
),

said as (
    select
        day,
        agent_id,
        sum(posted_ms) as posted_ms,
        sum(rebuilt_ms) as rebuilt_ms,
        count(*) filter (where differs_ms <> 0) as differing_intervals,
        sum(differs_ms) filter (where may_be_late) as late_data_ms,
        sum(differs_ms) filter (where not may_be_late) as unexplained_ms,
        flatten(list(conversations) filter (where differs_ms <> 0 and not may_be_late))
            as conversations
    from intervals
    group by all
),

-- By session: what it has posted, and what was worked on it, on each day that is held. Of that
-- some is voice that counts under the callback alone.
done as (
    select
        epoch_ms(emitted_at) // 86400000 as day,
        agent_id,
        conversation_id,
        session_id,
        value as rebuilt_ms,
        0 as worked_ms,
        0 as under_voice_ms,
        true as has_posted
    from emitted
    left join days on days.day = epoch_ms(emitted_at) // 86400000
    where metric = 'tHandle' and (days.end_ms is null or epoch_ms(emitted_at) < days.end_ms)
    union all
    select
        epoch_ms(window_start) // 86400000 as day,
        agent_id,
        conversation_id,
        session_id,
        0 as rebuilt_ms,
        greatest(
            0,
            least(segments.end_ms, coalesce(days.end_ms, epoch_ms(window_start) + 86400000))
            - greatest(segments.start_ms, epoch_ms(window_start))
        ) as worked_ms,
        case when voice_of_callback then worked_ms else 0 end as under_voice_ms,
        false as has_posted
    from segments
    left join days on days.day = epoch_ms(window_start) // 86400000
    where segment_type in ('contacting', 'dialing', 'interact', 'hold', 'wrapup')
),

daily as (
    select
        day,
        agent_id,
        conversation_id,
        session_id,
        sum(rebuilt_ms) as rebuilt_ms,
        sum(worked_ms) as worked_ms,
        sum(under_voice_ms) as under_voice_ms,
        sum(rebuilt_ms) - sum(worked_ms) as differs_ms,
        bool_or(has_posted) as has_posted
    from done
    group by all
),

sessions as (
    select
        * replace (bool_or(has_posted) over whole as has_posted),
        sum(differs_ms) over whole as differs_in_all_ms,
        min(day) over whole as first_done,
        max(day) over whole as last_done
    from daily
    window whole as (partition by agent_id, conversation_id, session_id)
),

-- What a session is like, as far as that explains a difference.
kinds as (
    select
        agent_id,
        conversation_id,
        session_id,
        min(start_ms) // 86400000 as first_day,
        (max(end_ms) - 1) // 86400000 as last_day,
        max(end_ms) as last_end_ms,
        bool_or(open) as is_open,
        bool_or(segment_type = 'alert')
        and not bool_or(segment_type in ('contacting', 'dialing', 'interact', 'hold'))
            as was_offered_only
    from segments
    group by all
),

explained as (
    select
        sessions.day,
        agent_id,
        conversation_id,
        worked_ms,
        under_voice_ms,
        differs_ms,
        case
            when differs_ms = 0 then 'none'
            -- or was so at the end of what is held of a day that is not over
            when
                not has_posted
                and (
                    is_open
                    or last_end_ms between days.end_ms + 1 and (days.day + 1) * 86400000
                )
                then 'still_open'
            when
                least(first_day, first_done) < greatest(last_day, last_done)
                and (
                    differs_in_all_ms = 0
                    or not list_contains($held, least(first_day, first_done))
                    or not list_contains($held, greatest(last_day, last_done))
                )
                then 'crosses_midnight'
            -- what was worked is after-call work alone, of which less is posted
            when was_offered_only and rebuilt_ms < worked_ms then 'unanswered_acw'
            else 'unexplained'
        end as cause
    from sessions
    inner join days using (day)
    left join kinds using (agent_id, conversation_id, session_id)
),

worked as (
    select
        day,
        agent_id,
        sum(worked_ms - under_voice_ms) as worked_ms,
        sum(under_voice_ms) as callback_under_voice_ms,
        sum(differs_ms) filter (where cause = 'crosses_midnight') as crosses_midnight_ms,
        sum(differs_ms) filter (where cause = 'still_open') as still_open_ms,
        sum(differs_ms) filter (where cause = 'unanswered_acw') as unanswered_acw_ms,
        sum(differs_ms) filter (where cause = 'unexplained') as unexplained_ms,
        list(distinct conversation_id) filter (where cause = 'unexplained') as conversations
    from explained
    group by all
)

select
    strftime(make_timestamp_ms(day * 86400000), '%Y-%m-%d') as day,
    agent_id,
    coalesce(names.name, agent_id) as agent_name,
    coalesce(posted_ms, 0)::bigint as posted_ms,
    coalesce(rebuilt_ms, 0)::bigint as rebuilt_ms,
    coalesce(worked_ms, 0)::bigint as worked_ms,
    coalesce(differing_intervals, 0) as differing_interval_count,
    coalesce(late_data_ms, 0)::bigint as late_data_ms,
    coalesce(callback_under_voice_ms, 0)::bigint as callback_under_voice_ms,
    coalesce(crosses_midnight_ms, 0)::bigint as crosses_midnight_ms,
    coalesce(still_open_ms, 0)::bigint as still_open_ms,
    coalesce(unanswered_acw_ms, 0)::bigint as unanswered_acw_ms,
    (coalesce(said.unexplained_ms, 0) + coalesce(worked.unexplained_ms, 0))::bigint
        as unexplained_ms,
    array_to_string(
        list_sort(list_distinct(list_concat(
            coalesce(worked.conversations, []), coalesce(said.conversations, [])
        ))),
        ' '
    ) as unexplained_conversations
from said
full join worked using (day, agent_id)
left join names on names.kind = 'agent' and names.id = agent_id
order by day, agent_name collate nocase.noaccent, agent_name, agent_id
