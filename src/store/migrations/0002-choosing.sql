-- A customer who has typed the number first picks what to allow; only then does the claim wait: state 'choosing'.
-- SQLite cannot change a CHECK, so the table is made anew, on PostgreSQL too: one text, and the same names of indexes and
-- constraints as if it had been made like this at first. No table refers to this one. All of it is one transaction.
CREATE TABLE claim_before AS SELECT * FROM claim;
DROP TABLE claim;
CREATE TABLE claim (
    id BIGINT PRIMARY KEY,
    session_id BIGINT NOT NULL REFERENCES session (id),
    company_id BIGINT NOT NULL REFERENCES company (id),
    state TEXT NOT NULL CHECK (state IN ('choosing', 'pending', 'answered', 'refused', 'withdrawn', 'replaced', 'over')),
    pop_pk BYTEA NOT NULL UNIQUE,
    address TEXT NOT NULL,
    prefix TEXT NOT NULL,
    host_name TEXT NOT NULL,
    os TEXT NOT NULL,
    tool_version TEXT NOT NULL,
    language TEXT NOT NULL,
    terms_version TEXT NOT NULL,
    terms_at BIGINT,
    rtt TEXT NOT NULL,
    claimed_at BIGINT NOT NULL
);
INSERT INTO claim (id, session_id, company_id, state, pop_pk, address, prefix, host_name, os, tool_version, language, terms_version,
    terms_at, rtt, claimed_at) SELECT id, session_id, company_id, state, pop_pk, address, prefix, host_name, os, tool_version,
    language, terms_version, terms_at, rtt, claimed_at FROM claim_before;
DROP TABLE claim_before;
CREATE INDEX claim_by_session ON claim (session_id);
