-- Handle time three ways, by agent and day (UTC): as aggregates post it, as the values in details
-- add up to it, and as it was worked; and the causes of the differences, which add up to them.
-- Only days that both sources hold count, as far as both hold them.
with days as (
    select
        epoch_ms(window_start) // {day_ms} as day,
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

emitted as (
    select
        * exclude (emitted_at),
        epoch_ms(emitted_at) as emitted_ms
    from emitted
),

rebuilt as (
    {rebuilt}
),

-- By interval: the handle time of aggregates, and that of details.
posted_by_interval as (
    select
        epoch_ms(interval_start) as interval_ms,
        agent_id,
        sum(handle_ms) as posted_ms
    from posted
    group by all
),

rebuilt_by_interval as (
    select
        interval_ms,
        agent_id,
        sum(handle_ms) as rebuilt_ms
    from rebuilt
    group by all
),

conversations_by_interval as (
    select
        emitted_ms // $width * $width as interval_ms,
        agent_id,
        list(distinct conversation_id) as conversations
    from emitted
    where metric = 'tHandle'
    group by all
),

differences_by_interval as (
    select
        days.day,
        agent_id,
        coalesce(posted_ms, 0) as posted_ms,
        coalesce(rebuilt_ms, 0) as rebuilt_ms,
        coalesce(posted_ms, 0) - coalesce(rebuilt_ms, 0) as differs_ms,
        coalesce(conversations, []) as conversations,
        -- The older reading lacks what Genesys published or corrected before the younger one, if
        -- the two are an interval or more apart, and what had only just ended. Of conversations
        -- that began on earlier days, details hold only what has reached the data lake.
        list_contains($provisional_days, days.day) and (
            apart_ms >= $width
            or interval_ms + 2 * $width > older_ms
            or (differs_ms > 0 and interval_ms + {day_ms} > details_ms)
        ) as may_be_late
    from posted_by_interval
    full join rebuilt_by_interval using (interval_ms, agent_id)
    left join conversations_by_interval using (interval_ms, agent_id)
    inner join days on interval_ms >= days.start_ms and interval_ms < days.end_ms
    where posted_ms is not null or rebuilt_ms is not null
),

posted_by_day as (
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
    from differences_by_interval
    group by all
),

-- By session: the handle time it posted and the time worked on it, on each day that is held.
-- Part of the worked time is voice that counts under the callback alone.
session_times as (
    select
        emitted_ms // {day_ms} as day,
        agent_id,
        conversation_id,
        session_id,
        value as rebuilt_ms,
        0 as worked_ms,
        0 as under_voice_ms,
        true as has_posted
    from emitted
    left join days on days.day = emitted_ms // {day_ms}
    where metric = 'tHandle' and (days.end_ms is null or emitted_ms < days.end_ms)
    union all
    select
        epoch_ms(window_start) // {day_ms} as day,
        agent_id,
        conversation_id,
        session_id,
        0 as rebuilt_ms,
        greatest(
            0,
            least(segments.end_ms, coalesce(days.end_ms, epoch_ms(window_start) + {day_ms}))
            - greatest(segments.start_ms, epoch_ms(window_start))
        ) as worked_ms,
        case when voice_of_callback then worked_ms else 0 end as under_voice_ms,
        false as has_posted
    from segments
    left join days on days.day = epoch_ms(window_start) // {day_ms}
    where segment_type in {work_segment_types}
),

sessions_by_day as (
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
    from session_times
    group by all
),

sessions_with_totals as (
    select
        * replace (bool_or(has_posted) over whole as has_posted),
        sum(differs_ms) over whole as differs_in_all_ms,
        sum(rebuilt_ms) over whole as rebuilt_in_all_ms,
        min(day) over whole as first_seen,
        max(day) over whole as last_seen
    from sessions_by_day
    window whole as (partition by agent_id, conversation_id, session_id)
),

-- Time that segments of a session have in common is taken off before other causes are looked for.
overlaps_by_day as (
    {overlaps_by_day}
),

sessions_with_overlaps as (
    select
        *,
        differs_ms - overlap_ms as remaining_ms,
        sum(differs_ms - overlap_ms) over whole as remaining_in_all_ms
    from (
        select
            sessions_with_totals.*,
            coalesce(overlaps_by_day.overlap_ms, 0) as overlap_ms
        from sessions_with_totals
        left join overlaps_by_day
            on overlaps_by_day.day = sessions_with_totals.day
            and overlaps_by_day.agent_id = sessions_with_totals.agent_id
            and overlaps_by_day.conversation_id = sessions_with_totals.conversation_id
            and overlaps_by_day.session_id = sessions_with_totals.session_id
            and sessions_with_totals.differs_in_all_ms <> 0
    ) as overlapping_sessions
    window whole as (partition by agent_id, conversation_id, session_id)
),

-- The traits of a session that explain a difference.
session_traits as (
    select
        agent_id,
        conversation_id,
        session_id,
        min(start_ms) // {day_ms} as first_day,
        (max(end_ms) - 1) // {day_ms} as last_day,
        max(end_ms) as last_end_ms,
        bool_or(open) as is_open,
        bool_or(segment_type = 'alert')
        and not bool_or(segment_type in {work_segment_types} and segment_type <> 'wrapup')
            as was_offered_only,
        bool_or(segment_type = 'contacting')
        and not bool_or(segment_type in {work_segment_types} and segment_type <> 'contacting')
            as was_contacting_only
    from segments
    group by all
),

explained_differences as (
    select
        sessions_with_overlaps.day,
        agent_id,
        conversation_id,
        worked_ms,
        under_voice_ms,
        overlap_ms,
        remaining_ms,
        case
            when remaining_ms = 0 then 'none'
            -- A session is open still, or was at the end of a day that is held in part.
            when
                not has_posted
                and (
                    is_open
                    or last_end_ms between days.end_ms + 1 and (days.day + 1) * {day_ms}
                )
                then 'still_open'
            when
                least(first_day, first_seen) < greatest(last_day, last_seen)
                and (
                    remaining_in_all_ms = 0
                    or not list_contains($held_days, least(first_day, first_seen))
                    or not list_contains($held_days, greatest(last_day, last_seen))
                )
                then 'crosses_midnight'
            -- All that was worked is after-call work, and Genesys posts less of it.
            when was_offered_only and remaining_ms < 0 then 'unanswered_acw'
            -- All that was worked is contacting, as in a session of monitoring, and Genesys posts
            -- none of it.
            when was_contacting_only and rebuilt_in_all_ms = 0 then 'contacting_only'
            else 'unexplained'
        end as cause
    from sessions_with_overlaps
    inner join days using (day)
    left join session_traits using (agent_id, conversation_id, session_id)
),

worked_by_day as (
    select
        day,
        agent_id,
        sum(worked_ms - under_voice_ms) as worked_ms,
        sum(under_voice_ms) as callback_under_voice_ms,
        sum(overlap_ms) as overlapping_segments_ms,
        sum(remaining_ms) filter (where cause = 'crosses_midnight') as crosses_midnight_ms,
        sum(remaining_ms) filter (where cause = 'still_open') as still_open_ms,
        sum(remaining_ms) filter (where cause = 'unanswered_acw') as unanswered_acw_ms,
        sum(remaining_ms) filter (where cause = 'contacting_only') as contacting_only_ms,
        sum(remaining_ms) filter (where cause = 'unexplained') as unexplained_ms,
        list(distinct conversation_id) filter (where cause = 'unexplained') as conversations
    from explained_differences
    group by all
)

select
    strftime(make_timestamp_ms(day * {day_ms}), '%Y-%m-%d') as day,
    agent_id,
    coalesce(names.name, agent_id) as agent_name,
    coalesce(posted_ms, 0)::bigint as posted_ms,
    coalesce(rebuilt_ms, 0)::bigint as rebuilt_ms,
    coalesce(worked_ms, 0)::bigint as worked_ms,
    coalesce(differing_intervals, 0) as differing_interval_count,
    coalesce(late_data_ms, 0)::bigint as late_data_ms,
    coalesce(callback_under_voice_ms, 0)::bigint as callback_under_voice_ms,
    coalesce(overlapping_segments_ms, 0)::bigint as overlapping_segments_ms,
    coalesce(crosses_midnight_ms, 0)::bigint as crosses_midnight_ms,
    coalesce(still_open_ms, 0)::bigint as still_open_ms,
    coalesce(unanswered_acw_ms, 0)::bigint as unanswered_acw_ms,
    coalesce(contacting_only_ms, 0)::bigint as contacting_only_ms,
    (coalesce(posted_by_day.unexplained_ms, 0) + coalesce(worked_by_day.unexplained_ms, 0))::bigint
        as unexplained_ms,
    array_to_string(
        list_sort(list_distinct(list_concat(
            coalesce(worked_by_day.conversations, []), coalesce(posted_by_day.conversations, [])
        ))),
        ' '
    ) as unexplained_conversations
from posted_by_day
full join worked_by_day using (day, agent_id)
left join names on names.kind = 'agent' and names.id = agent_id
order by day, {agent_name_order}
