-- The slices of `timeline`, each under every day of the table `days` that it has a part in.
select
    make_timestamptz(days.start_ms * 1000) as window_start,
    agent_sessions.conversation_id,
    agent_sessions.session_id,
    agent_sessions.agent_id,
    timeline.queue_id,
    agent_sessions.media_type,
    agent_sessions.acd,
    timeline.voice_of_callback,
    timeline.segment_type,
    timeline.start_ms,
    timeline.end_ms,
    timeline.open
from timeline
join agent_sessions on agent_sessions.session_key = timeline.session_key
join days
    on timeline.start_ms < least(timeline.end_ms, days.start_ms + {day_ms})
    and timeline.end_ms > days.start_ms
order by days.start_ms, timeline.session_key, timeline.start_ms, timeline.position
