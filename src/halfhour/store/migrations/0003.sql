-- The store of version 3: divisions and teams of agents. Old names are read again to fill them.
alter table names add column division varchar;
alter table names add column team varchar;
update names set read_at = '1970-01-01 00:00:00+00';
