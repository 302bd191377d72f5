-- Handle time three ways, by agent and day (UTC): as aggregates post it, as details have
-- posted it, and as it was worked; and what the differences come from, which add up.
-- Only of days that both sources have, as far as both have them.
with days as (
    select
        epoch_ms(window_start) // 86400000 as day,
        epoch_ms(window_start) as start_ms,
        epoch_ms(min(window_end)) as end_ms
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
        coalesce(conversations, []) as conversations
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
        count(*) filter (where posted_ms <> rebuilt_ms) as differing_intervals,
        flatten(list(conversations) filter (where posted_ms <> rebuilt_ms)) as conversations
    from intervals
    group by all
),

-- By session: what it has posted, and what was worked on it, on each day that is held.
done as (
    select
        epoch_ms(emitted_at) // 86400000 as day,
        agent_id,
        conversation_id,
        session_id,
        value as rebuilt_ms,
        0 as worked_ms
    from emitted
    where metric = 'tHandle'
    union all
    select
        epoch_ms(window_start) // 86400000 as day,
        agent_id,
        conversation_id,
        session_id,
        0 as rebuilt_ms,
        case when voice_of_callback then 0 else
            greatest(
                0,
                least(segments.end_ms, coalesce(days.end_ms, epoch_ms(window_start) + 86400000))
                - greatest(segments.start_ms, epoch_ms(window_start))
            )
        end as worked_ms
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
        sum(rebuilt_ms) - sum(worked_ms) as differs_ms
    from done
    group by all
),

sessions as (
    select
        *,
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
        bool_or(voice_of_callback) as is_leg,
        bool_or(segment_type = 'interact') as was_answered
    from segments
    group by all
),

explained as (
    select
        sessions.day,
        agent_id,
        conversation_id,
        rebuilt_ms,
        worked_ms,
        differs_ms,
        case
            when differs_ms = 0 then 'none'
            when is_leg then 'callback_under_voice'
            -- or was so at the end of what is held of a day that is not over
            when is_open or last_end_ms between days.end_ms + 1 and (days.day + 1) * 86400000
                then 'still_open'
            when
                least(first_day, first_done) < greatest(last_day, last_done)
                and (
                    differs_in_all_ms = 0
                    or not list_contains($held, least(first_day, first_done))
                    or not list_contains($held, greatest(last_day, last_done))
                )
                then 'crosses_midnight'
            when not was_answered then 'unanswered_acw'
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
        sum(worked_ms) as worked_ms,
        sum(differs_ms) filter (where cause = 'callback_under_voice') as callback_under_voice_ms,
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
    case when list_contains($young, day) then coalesce(posted_ms - rebuilt_ms, 0) else 0 end::bigint
        as late_data_ms,
    coalesce(callback_under_voice_ms, 0)::bigint as callback_under_voice_ms,
    coalesce(crosses_midnight_ms, 0)::bigint as crosses_midnight_ms,
    coalesce(still_open_ms, 0)::bigint as still_open_ms,
    coalesce(unanswered_acw_ms, 0)::bigint as unanswered_acw_ms,
    (
        coalesce(unexplained_ms, 0)
        + case when list_contains($young, day) then 0 else coalesce(posted_ms - rebuilt_ms, 0) end
    )::bigint as unexplained_ms,
    array_to_string(
        list_sort(list_distinct(list_concat(
            coalesce(worked.conversations, []),
            case when list_contains($young, day) then [] else coalesce(said.conversations, []) end
        ))),
        ' '
    ) as unexplained_conversations
from said
full join worked using (day, agent_id)
left join names on names.kind = 'agent' and names.id = agent_id
order by day, agent_name collate nocase.noaccent, agent_name, agent_id
