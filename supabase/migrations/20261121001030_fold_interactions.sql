-- What keeps folding quick and the statistics small: how much was folded, from where on hours are kept apart, which hours are
-- to become days, and sketches as short texts.
--
--   … day │ day │ day ┃ hour hour hour … hour (now)
--                     ┗ days_before: moves on with the days, never back

alter table parlance.interaction_settings
  -- While it is small each statistic is worked out at once.
  add column folded_rows bigint not null default 0,
  -- What happened before that hour (since 1970) is kept by the day. Only who holds the row moves it.
  add column days_before integer not null default 0;

alter table parlance.interaction_hours
  drop column keys,
  drop column counts,
  -- Runs of neighbouring buckets, "key:count,count;key:count" (shared/interactions/statistics/sketch-text.ts).
  add column sketch text not null,
  add constraint sketch_has_values check (sketch <> '');

create index interaction_hours_to_roll_up on parlance.interaction_hours (hour) where hours = 1;

-- A rule that was changed meanwhile has no use for them. None is lost: they are worked out when they are asked for.
delete from parlance.interaction_fences;
alter table parlance.interaction_fences
  add column rule_updated_at timestamptz not null;

create index interaction_fences_by_age on parlance.interaction_fences (computed_at);
