-- How many rules an owner has, and how far a back-test is.

-- Two at once must not both be the last one: an owner's are counted one after another.
create function parlance.limit_rules() returns trigger
  language plpgsql security definer set search_path = pg_catalog, pg_temp
  as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('parlance.interaction_rules ' || coalesce(new.owner_id::text, 'house'), 0));
  if (
    select count(*)
    from parlance.interaction_rules as rules
    where (rules.owner_id = new.owner_id or (rules.owner_id is null and new.owner_id is null))
      and rules.id <> new.id
  ) >= 200 then
    raise exception 'an owner has at most 200 rules'
      using errcode = 'check_violation', schema = 'parlance', table = 'interaction_rules', constraint = 'rules_are_at_most_200';
  end if;
  return new;
end
$$;

create trigger limit_rules before insert on parlance.interaction_rules
  for each row execute function parlance.limit_rules();

-- What a back-test has found so far, written with each checkpoint; null when it is over.
alter table parlance.rule_back_tests
  add column state jsonb,
  add constraint state_is_not_endless check (octet_length(state::text) <= 1000000);

revoke all on function parlance.limit_rules() from public, anon, authenticated, service_role;
