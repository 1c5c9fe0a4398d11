-- The same text runs on SQLite and PostgreSQL. Times are ms since 1970; ids as base/id.h makes them.

-- Tenants. id is small (a u32 on the wire), code is what people type. chain_*: the head of the company's audit chain.
CREATE TABLE company (
    id BIGINT PRIMARY KEY,
    code TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'frozen')),
    perms BIGINT NOT NULL,
    lock_after BIGINT NOT NULL,
    lock_minutes BIGINT NOT NULL,
    max_live BIGINT NOT NULL,
    regions TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    chain_seq BIGINT NOT NULL,
    chain_hash BYTEA NOT NULL
);

CREATE TABLE operator (
    id BIGINT PRIMARY KEY,
    company_id BIGINT NOT NULL REFERENCES company (id),
    login TEXT NOT NULL,
    name TEXT NOT NULL,
    password TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'disabled')),
    failures BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (company_id, login)
);

-- Operator tools that are logged in. Tokens are derived from a key outside of the database; device_pk checks every
-- request's signature.
CREATE TABLE tool_login (
    id BIGINT PRIMARY KEY,
    company_id BIGINT NOT NULL REFERENCES company (id),
    operator_id BIGINT NOT NULL REFERENCES operator (id),
    device_pk BYTEA NOT NULL,
    address TEXT NOT NULL,
    tool_version TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX tool_login_by_operator ON tool_login (operator_id);

CREATE TABLE login_event (
    id BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    company_id BIGINT,
    operator_id BIGINT,
    code TEXT NOT NULL,
    login TEXT NOT NULL,
    address TEXT NOT NULL,
    outcome TEXT NOT NULL
);

-- Support sessions, from the issued number on. number_hash: HMAC of the number; number_sealed: the number under a key
-- that is not in the database, kept while it is live so that its operator can see it again.
CREATE TABLE session (
    id BIGINT PRIMARY KEY,
    company_id BIGINT NOT NULL REFERENCES company (id),
    operator_id BIGINT NOT NULL REFERENCES operator (id),
    operator_login TEXT NOT NULL,
    operator_name TEXT NOT NULL,
    request BYTEA NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('issued', 'waiting', 'active', 'held', 'reconnecting', 'ended')),
    number_hash BYTEA NOT NULL,
    number_sealed BYTEA,
    number_last3 TEXT NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    joined_at BIGINT,
    answered_at BIGINT,
    ended_at BIGINT,
    end_reason TEXT,
    end_text TEXT,
    result TEXT,
    note TEXT,
    customer TEXT,
    reason TEXT,
    ticket_no TEXT,
    operator_address TEXT NOT NULL,
    operator_version TEXT NOT NULL,
    customer_address TEXT,
    customer_version TEXT,
    terms_version TEXT,
    terms_at BIGINT,
    claim_id BIGINT,
    host_pk BYTEA,
    viewer_pk BYTEA,
    perms BIGINT NOT NULL,
    relays TEXT,
    region TEXT,
    relay_id BIGINT,
    bytes_in BIGINT,
    bytes_out BIGINT,
    rtt_p50_us BIGINT,
    rtt_p95_us BIGINT,
    is_verified BIGINT NOT NULL,
    is_recorded BIGINT NOT NULL,
    paused_at BIGINT,
    ms_held BIGINT NOT NULL,
    ms_reconnecting BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    rev BIGINT NOT NULL,
    UNIQUE (operator_id, request)
);
CREATE INDEX session_by_company ON session (company_id, issued_at, id);
CREATE INDEX session_by_operator ON session (operator_id, id);
CREATE INDEX session_by_rev ON session (operator_id, rev);
CREATE INDEX session_live ON session (state, id) WHERE state <> 'ended';
CREATE INDEX session_live_by_operator ON session (operator_id, rev) WHERE state <> 'ended';

-- Numbers that may not be drawn now: live until expires_at, in quarantine until free_at.
CREATE TABLE reception (
    hash BYTEA PRIMARY KEY,
    session_id BIGINT NOT NULL REFERENCES session (id),
    expires_at BIGINT NOT NULL,
    free_at BIGINT NOT NULL
);
CREATE INDEX reception_by_free ON reception (free_at);

-- Customers who typed the number. All text is what their machines sent: bounded, plain, never trusted.
CREATE TABLE claim (
    id BIGINT PRIMARY KEY,
    session_id BIGINT NOT NULL REFERENCES session (id),
    company_id BIGINT NOT NULL REFERENCES company (id),
    state TEXT NOT NULL CHECK (state IN ('pending', 'answered', 'refused', 'withdrawn', 'replaced', 'over')),
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
CREATE INDEX claim_by_session ON claim (session_id);

-- Wrong numbers per source (an address or a prefix) in the present window.
CREATE TABLE miss (
    scope TEXT PRIMARY KEY,
    count BIGINT NOT NULL,
    since BIGINT NOT NULL
);

-- What was done, chained per company: hash = SHA-256 over the hash before and all of this row (docs/audit.md). ekey: a
-- tool's own name for what it reports, so that a repetition is not stored twice.
CREATE TABLE event (
    company_id BIGINT NOT NULL REFERENCES company (id),
    seq BIGINT NOT NULL,
    id BIGINT NOT NULL,
    session_id BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL,
    ekey BYTEA,
    hash BYTEA NOT NULL,
    PRIMARY KEY (company_id, seq),
    UNIQUE (session_id, ekey)
);
CREATE INDEX event_by_session ON event (session_id, seq);

-- The chain's head at a moment, signed by the signer process.
CREATE TABLE checkpoint (
    company_id BIGINT NOT NULL REFERENCES company (id),
    seq BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    at BIGINT NOT NULL,
    kid BIGINT NOT NULL,
    sig BYTEA NOT NULL,
    PRIMARY KEY (company_id, seq)
);

-- Every KEYSET that was in force: checkpoints outlive the keys that a KEYSET still names.
CREATE TABLE keyset (
    sequence BIGINT PRIMARY KEY,
    at BIGINT NOT NULL,
    bytes BYTEA NOT NULL
);

CREATE TABLE device (
    session_id BIGINT PRIMARY KEY REFERENCES session (id),
    company_id BIGINT NOT NULL REFERENCES company (id),
    at BIGINT NOT NULL,
    info TEXT NOT NULL,
    delete_after BIGINT NOT NULL
);
CREATE INDEX device_by_end ON device (delete_after);

CREATE TABLE relay (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    address TEXT NOT NULL,
    region TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('new', 'up', 'draining', 'down')),
    version TEXT NOT NULL,
    ends BIGINT NOT NULL,
    max_connections BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);

-- Which management server holds which node number of the ids.
CREATE TABLE node (
    id BIGINT PRIMARY KEY,
    holder TEXT NOT NULL,
    lease_until BIGINT NOT NULL
);

-- What other management servers (and tasukictl) changed and this one must pass on: a hint, the rows tell the truth.
CREATE TABLE notice (
    id BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    a BIGINT NOT NULL,
    b BIGINT NOT NULL
);
