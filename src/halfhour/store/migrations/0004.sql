-- The store of version 4: transfers. Posted windows of earlier versions lack them.
alter table posted add column transferred_count bigint;
alter table settled add column has_transfers boolean default true;
update settled set has_transfers = source <> 'posted';
