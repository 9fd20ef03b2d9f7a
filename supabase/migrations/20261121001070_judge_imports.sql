-- The rows of an import in the order of their times: so they are judged, each by what was before it.

create index interactions_of_an_import on parlance.interactions (import_id, occurred_at, id) where import_id is not null;
