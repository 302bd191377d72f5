-- The store of version 7: states of agents. Old names are read again to fill them.
alter table names add column state varchar;
update names set read_at = '1970-01-01 00:00:00+00' where kind = 'agent';
