-- The store of version 3: where agents belong. Names are asked for again, so that it gets known.
alter table names add column division varchar;
alter table names add column team varchar;
update names set read_at = '1970-01-01 00:00:00+00';
