-- The log is read by whom as well: what one person said is found, and forgotten, without looking through all. Most
-- interactions name nobody, and pay nothing.

create index interactions_of_a_user_label on parlance.interactions (owner_id, user_label, occurred_at desc, id desc)
  where user_label is not null;
