-- A head that stays locked must not hold up its partition for long; a frozen process must not hold a head. The append
-- statement is planned once: its arrays differ from batch to batch and its plan does not.
set default_transaction_isolation = 'read committed';
set statement_timeout = '2s';
set idle_in_transaction_session_timeout = '4s';
set plan_cache_mode = 'force_generic_plan';
-- How to join a few hundred rows is the planner's choice.
reset enable_hashjoin;
reset enable_mergejoin;
set jit = off
