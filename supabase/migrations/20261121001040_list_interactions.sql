-- The log is searched by words and by whom.
--
-- The words of a batch stand beside it, not in it: a batch is written again when it is folded, and each of its thousands of
-- words would be entered into the index a second time.

drop index parlance.interaction_batches_with_words;
alter table parlance.interaction_batches drop column words;

create table parlance.interaction_words (
  batch_id uuid primary key references parlance.interaction_batches (id) on delete cascade,
  owner_id uuid references auth.users (id) on delete cascade,
  -- As of the batch, so that what is searched reads this table alone.
  rows integer not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  -- Hashes of the words that stand in any of its texts, of its tags and providers (shared/interactions/words.ts).
  words integer[] not null
);

comment on table parlance.interaction_words is 'Which words a batch of interactions has: batches that lack one are not looked at.';

create index interaction_words_with on parlance.interaction_words using gin (words);
create index interaction_words_of_an_owner on parlance.interaction_words (owner_id);

alter table parlance.interaction_words enable row level security;
revoke all on parlance.interaction_words from public, anon, authenticated, service_role;
grant select, insert, delete on parlance.interaction_words to service_role;

-- What one person said is found, and forgotten, without looking through all. Most interactions name nobody, and pay nothing.
create index interactions_of_a_user_label on parlance.interactions (owner_id, user_label, occurred_at desc, id desc)
  where user_label is not null;
