-- The whole database as it is now, a section per noun.
--
-- Times (`_at`) are milliseconds since 1970 UTC. A `day` is the date in the
-- house's own time zone, as text YYYY-MM-DD. Keys are integers and never mean
-- anything. Names and free text stay in these tables: the event log holds ids.

-- house: the one house of this database, and what the spine needs to know.
create table house (
    house_id    integer primary key check (house_id = 1),
    name        text not null,
    profile     text not null check (profile in ('school', 'club', 'clinic')),
    zone        text not null,                  -- IANA name, e.g. Europe/Berlin
    language    text not null check (language in ('de', 'en')),
    late_after  integer not null default 495,   -- minutes after local midnight; a later arrival is late
    closes_at   integer not null default 1080,  -- minutes after local midnight; the day is closed then
    hours_since integer not null default 0,     -- since when it closes then: nothing is closed in arrears
    demo        integer not null default 0 check (demo in (0, 1)),
    cleaned_on  text,                           -- the last day whose nightly clean-up was done
    created_at  integer not null
) strict;

-- The code that proves, at the first start, that whoever sets the house up can read its console.
create table setup_code (
    setup_code_id integer primary key check (setup_code_id = 1),
    code_hash     blob not null,               -- SHA-256
    expires_at    integer not null
) strict;

-- people: members and staff, their accounts, badges, contacts and sessions.
create table person (
    person_id    integer primary key,
    number       text unique,                  -- the number of another system (pupil number): the key of a repeated import
    given_name   text not null,
    family_name  text not null,
    display_name text not null,                -- what a board shows and a frame carries
    search_key   text not null,                -- lower case, without accents and umlauts
    role         text not null check (role in ('admin', 'office', 'staff', 'member')),
    language     text check (language in ('de', 'en')),
    state        text not null default 'active' check (state in ('active', 'inactive', 'erased')),
    created_at   integer not null
) strict;
create index person_search on person (search_key);

create table account (
    person_id     integer primary key references person on delete cascade,
    username      text not null unique,        -- lower case
    password_hash text not null,               -- PHC string, argon2id
    pin_hash      text,                        -- for a kiosk's privileged acts, in addition to a badge
    pin_wrong     integer not null default 0,
    pin_locked_until integer,
    disabled      integer not null default 0 check (disabled in (0, 1)),
    created_at    integer not null,
    password_at   integer not null
) strict;

create table session (
    session_hash blob primary key,             -- SHA-256 of the cookie's id: useless to a reader of a backup
    public_id    text not null unique,         -- names the session in lists, without opening it
    person_id    integer not null references account on delete cascade,
    device       text not null default '',     -- the browser in a few words
    created_at   integer not null,
    last_seen_at integer not null,
    expires_at   integer not null
) strict, without rowid;
create index session_person on session (person_id);
create index session_expiry on session (expires_at);

create table badge (
    badge_id   integer primary key,
    person_id  integer not null references person on delete cascade,
    tag        text not null unique,           -- upper case hex, no separators
    state      text not null default 'active' check (state in ('active', 'blocked')),
    created_at integer not null
) strict;
create index badge_person on badge (person_id);

create table contact (
    contact_id integer primary key,
    person_id  integer not null references person on delete cascade,
    name       text not null,
    relation   text not null default '',
    phone      text not null default '',
    may_fetch  integer not null default 0 check (may_fetch in (0, 1)),
    emergency  integer not null default 0 check (emergency in (0, 1)),
    created_at integer not null
) strict;
create index contact_person on contact (person_id);

-- Who looked at, or changed, what needs an account of itself. Append-only; each row seals the one before.
create table audit (
    audit_id  integer primary key autoincrement,
    at        integer not null,
    by        text not null,                   -- person:7, device:3, system
    act       text not null,                   -- contacts.read, attendance.corrected, ...
    person_id integer,                         -- whom it was about
    detail    text not null default '',        -- ids and closed words, never names
    seal      blob not null                    -- SHA-256 over the row and the seal before it
) strict;
create index audit_person on audit (person_id);

-- rooms: rooms, groups, activities, runs, and who is responsible for whom.
create table room (
    room_id  integer primary key,
    name     text not null unique,
    kind     text not null default 'room' check (kind in ('room', 'foyer', 'yard')),
    capacity integer not null check (capacity > 0)
) strict;

create table "group" (
    group_id integer primary key autoincrement,  -- never used again: topics and the audit name it
    name     text not null unique,
    kind     text not null check (kind in ('class', 'care', 'ward'))
) strict;

create table group_member (
    group_id  integer not null references "group" on delete cascade,
    person_id integer not null references person on delete cascade,
    primary key (group_id, person_id)
) strict, without rowid;
create index group_member_person on group_member (person_id);

create table activity (
    activity_id     integer primary key,
    name            text not null unique,
    default_room_id integer references room
) strict;

create table run (
    run_id      integer primary key,
    activity_id integer not null references activity,
    room_id     integer not null references room,
    started_at  integer not null,
    ended_at    integer,
    started_by  text not null
) strict;
create unique index run_open on run (room_id) where ended_at is null;  -- one run per room now
create index run_started on run (started_at);

-- Who is responsible for a run or a group, from when to when. Rows are ended, never deleted:
-- what somebody could see at any instant can be computed again. They go only with a group that is
-- taken back, which has nobody in it.
create table supervision (
    supervision_id integer primary key,
    person_id      integer not null references person,
    run_id         integer references run,
    group_id       integer references "group",
    kind           text not null check (kind in ('standing', 'run', 'substitution')),
    from_at        integer not null,
    until_at       integer,                    -- a planned end, of a substitution
    ended_at       integer,
    given_by       text not null,
    check ((run_id is null) <> (group_id is null))
) strict;
create unique index supervision_run on supervision (run_id, person_id) where ended_at is null and run_id is not null;
create unique index supervision_group on supervision (group_id, person_id) where ended_at is null and group_id is not null;
create index supervision_person on supervision (person_id, ended_at);
create index supervision_due on supervision (until_at) where ended_at is null and until_at is not null;
-- For a group that is taken back: whatever was given of it goes with it.
create index supervision_of_group on supervision (group_id) where group_id is not null;

-- Who is asked to take it. Whose it is keeps it until the other accepts.
create table supervision_offer (
    supervision_offer_id integer primary key,
    supervision_id integer not null references supervision,
    person_id      integer not null references person,
    kind           text not null check (kind in ('hand_over', 'substitution')),
    until_at       integer,                    -- when the substitution would end
    offered_at     integer not null,
    ended_at       integer,
    outcome        text check (outcome in ('accepted', 'declined') or outcome in ('withdrawn', 'expired')),
    check ((ended_at is null) = (outcome is null))
) strict;
create unique index supervision_offer_open on supervision_offer (supervision_id) where outcome is null;  -- one is asked at a time
create index supervision_offer_of on supervision_offer (supervision_id);  -- also of those that are over: a group that is removed looks for them

-- What files of people have changed, as long as it may be undone; the night forgets it then.
create table import (
    import_id  integer primary key autoincrement,  -- never used again: no undo means another one
    at         integer not null,
    by         text not null,                  -- person:7, system
    new        integer not null,               -- how many rows named somebody new
    changed    integer not null,               -- how many rows changed what was known
    undone_at  integer,
    gone       integer,                        -- what the undo did, said again to whoever asks again
    inactive   integer,
    restored   integer,
    kept       integer,
    check ((undone_at is null) = (gone is null))
) strict;

-- How a person was before and after it, as JSON. Names are in it, and so it goes with the undo.
create table import_person (
    import_id integer not null references import on delete cascade,
    person_id integer not null references person on delete cascade,
    before    text,                            -- null of whom it has made
    after     text not null,
    primary key (import_id, person_id)
) strict, without rowid;

-- The groups that it has made.
create table import_group (
    import_id integer not null references import on delete cascade,
    group_id  integer not null references "group" on delete cascade,
    primary key (import_id, group_id)
) strict, without rowid;
create index import_group_group on import_group (group_id);

-- devices: badge readers and kiosks, how they are enrolled and what they last said; wall screens.
create table device (
    device_id      integer primary key,
    name           text not null,
    mode           text not null check (mode in ('door_in', 'door_out', 'toggle', 'room', 'kiosk')),
    room_id        integer references room,
    serial         text not null,
    model          text not null,
    firmware       text not null,
    key_prefix     text not null unique,       -- shown to the admin
    key_hash       blob not null,              -- SHA-256 of the secret
    next_key_prefix text unique,               -- while a key is rolled both are good
    next_key_hash  blob,
    next_key_at    integer,                    -- when it was handed out; unused it lapses
    language       text not null default 'de' check (language in ('de', 'en')),
    tones          integer not null default 1 check (tones in (0, 1)),
    show_name      text not null default 'first' check (show_name in ('first', 'initials', 'none')),
    daily_checkout_from integer,               -- minutes after local midnight; before it a toggle never checks out
    buffer_max     integer not null default 2000,
    tag_order      text not null default 'learn' check (tag_order in ('learn', 'as_sent', 'reversed')),  -- some readers send the bytes of a tag backwards
    boot_id        text not null default '',
    starts         text not null default '',   -- when it has started last, for the boot-loop alarm: space-separated moments
    queue_depth    integer not null default 0,
    queue_since    integer,                    -- since when the queue is not empty
    skew_ms        integer,                    -- device clock minus ours, from heartbeats
    battery        integer,                    -- per cent
    rssi           integer,                    -- dBm
    free_heap      integer,                    -- bytes
    uptime_s       integer,
    oldest_age_s   integer,                    -- how long the oldest scan has waited in the device
    last_seq       integer,
    last_seen_at   integer,
    state          text not null default 'offline' check (state in ('online', 'late', 'offline', 'revoked')),
    alarms         text not null default '',   -- space-separated: queue clock boot_loop
    enrolled_at    integer not null,
    revoked_at     integer
) strict;

create table enrolment_code (
    code_hash  blob primary key,               -- SHA-256
    name       text not null,
    mode       text not null,
    room_id    integer references room,
    expires_at integer not null,
    used_at    integer,
    created_by text not null
) strict, without rowid;

create table device_command (
    command_id integer primary key,
    device_id  integer not null references device on delete cascade,
    kind       text not null check (kind in ('identify', 'reboot', 'reload', 'roll_key')),
    created_at integer not null,
    sent_at    integer,
    acked_at   integer
) strict;
create index device_command_open on device_command (device_id) where acked_at is null;

create table display (
    display_id integer primary key,
    name       text not null,
    key_prefix text not null unique,           -- shown to the admin
    key_hash   blob not null,                  -- SHA-256 of the secret
    created_at integer not null,
    revoked_at integer
) strict;

-- visits: the day's attendance, stays in runs, and the scans that told of them.
create table attendance (
    person_id  integer not null references person,
    day        text not null,
    status     text not null check (status in ('present', 'left') or status in ('excused', 'unreported')),
    late       integer not null default 0 check (late in (0, 1)),
    arrived_at integer,                        -- the first arrival of the day
    left_at    integer,                        -- the last leaving; stays when they come back
    source     text not null check (source in ('badge', 'manual') or source = 'auto'),
    reason     text,                           -- free text, of what the status says; read in scope only, deleted after 30 days
    changed_at integer not null,               -- since when it is so: an older scan never changes it
    primary key (person_id, day)
) strict, without rowid;
create index attendance_day on attendance (day, status);

-- What the timetable has done of a day, so that it does it once.
create table day_mark (
    day        text primary key,
    missing_at integer not null                -- when those missing were told
) strict, without rowid;

create table visit (
    visit_id   integer primary key,
    person_id  integer not null references person,
    run_id     integer not null references run,
    room_id    integer not null references room,
    started_at integer not null,
    source     text not null check (source in ('badge', 'manual') or source = 'auto'),
    ended_at   integer,
    end_reason text check (end_reason in ('left', 'transferred') or end_reason in ('run_ended', 'day_closed') or end_reason = 'undone'),
    from_visit_id integer,                     -- the visit that this transfer ended, as long as it is kept
    earlier_visit_id integer,                  -- the person's visit before this one, as long as it is kept
    newest     integer not null default 1 check (newest in (0, 1)),  -- whether it is the person's newest; one that was undone never was
    attendance_before text check (attendance_before in ('expected', 'left') or attendance_before in ('excused', 'unreported')),
                                               -- what the start turned into present; an undo restores it
    reason_before text,                        -- the reason that stood with it; read by that undo only
    check ((ended_at is null) = (end_reason is null)),
    check (newest = 1 or ended_at is not null) -- so that nobody is ever in two rooms
) strict;
create index visit_room on visit (room_id) where ended_at is null;

-- The newest visit of each person; those before it hang on it by earlier_visit_id. An index of all
-- visits by person would be a page more for each scan to write, in no order; of one by their start
-- only the night would have any use.
create unique index visit_newest on visit (person_id) where newest = 1;

create table scan (
    scan_number integer primary key,           -- in the order of coming
    device_id   integer not null references device,
    scan_id     text not null,                 -- made by the device, one per tap
    tag         text not null,
    person_id   integer references person,
    scanned_at  integer not null,              -- when the badge was held, as well as we know
    received_at integer not null,
    outcome     text not null,
    result      text not null,                 -- the stored answer, given again to a repeat
    unique (scan_id, device_id)                -- in this order: ids of one moment stand together
) strict;

-- The last scan of each badge, whatever became of it, and of each tag that was nobody's then: what
-- tells a double tap. An index of all scans by tag would be a page more for each scan to write, in
-- no order.
create table last_scan (
    badge_id    integer primary key references badge on delete cascade,
    scan_number integer not null
) strict;
create table last_unknown_scan (
    tag         text primary key,
    scan_number integer not null
) strict, without rowid;

create table scan_review (
    scan_review_id integer primary key,
    device_id   integer not null,
    scan_id     text not null,
    why         text not null check (why in ('late', 'future', 'too_old', 'unknown_tag')),
    created_at  integer not null,
    reviewed_at integer,
    reviewed_by text,
    foreign key (device_id, scan_id) references scan (device_id, scan_id)
) strict;
create index scan_review_open on scan_review (created_at) where reviewed_at is null;
-- For the night, which forgets scans: each asks whether a review still names it.
create index scan_review_scan on scan_review (scan_id, device_id);

-- What is left of a day when its persons have been forgotten: no one can be told from it.
create table day_total (
    day        text primary key,
    arrived    integer not null,
    late       integer not null,
    excused    integer not null,
    unreported integer not null,
    visits     integer not null
) strict, without rowid;

-- help: a member asks, somebody comes.
create table help_request (
    help_request_id integer primary key,
    person_id   integer not null references person,
    room_id     integer references room,
    run_id      integer references run,        -- where the member was when asking: its supervisors hear of it
    book_id     text,
    section_id  text,
    content     text not null,
    response    text,
    priority    text not null check (priority in ('normal', 'urgent')),
    status      text not null check (status in ('pending', 'assigned', 'on_hold', 'resolved', 'cancelled', 'expired')),
    front       integer not null default 0 check (front in (0, 1)),  -- back from hold: first in its priority
    assigned_to integer references person,
    rev         integer not null default 1,    -- counts changes: a page tells old news from new
    created_at  integer not null,
    claimed_at  integer,
    closed_at   integer,
    day         text not null
) strict;
create unique index help_request_open on help_request (person_id) where status in ('pending', 'assigned', 'on_hold');
create index help_request_status on help_request (status, priority, front, created_at);
create index help_request_day on help_request (day);

-- A request with the names, the place in the queue and the audience that every reader needs.
create view help_view as
select h.*,
       p.display_name,
       r.name as room_name,
       a.display_name as assignee_name,
       case when h.status = 'pending' then (
           select count(*)
           from help_request o
           where o.status = 'pending'
             and (o.priority = 'normal', -o.front, o.created_at, o.help_request_id)
                 <= (h.priority = 'normal', -h.front, h.created_at, h.help_request_id)
       ) end as position,
       (select v.run_id from visit v where v.person_id = h.person_id and v.newest = 1 and v.ended_at is null) as run_now,
       (select group_concat(g.group_id) from group_member g where g.person_id = h.person_id) as groups
from help_request h
join person p using (person_id)
left join room r using (room_id)
left join person a on a.person_id = h.assigned_to;

-- tracking: what members did, as their pages tell it.
create table tracked (
    tracked_id  integer primary key,
    person_id   integer not null references person,
    client_id   text,                          -- the client's own id: makes a repeat harmless
    event_type  text not null,
    book_id     text,
    content     text,                          -- free text; read in scope only, never in a frame
    context     text,                          -- JSON, ditto
    at          integer not null,
    received_at integer not null
) strict;
create unique index tracked_client on tracked (person_id, client_id) where client_id is not null;
create index tracked_person on tracked (person_id, at);
create index tracked_at on tracked (at);

-- live: the event log (written by live/log.rs only) and answers kept for repeats.
create table epoch (
    epoch_id integer primary key check (epoch_id = 1),
    epoch    text not null                     -- made anew when the database is created or restored
) strict;

create table event_log (
    seq        integer primary key,        -- never used again: the newest event is never pruned
    at         integer not null,
    by         text not null,
    type       text not null,
    v          integer not null,
    topics     text not null,                  -- who hears it: space-separated topics, canonical first
    subject_id integer,                        -- the person whose name is joined when the frame is encoded
    data       text not null                   -- JSON object of ids, numbers and closed words
) strict;

create table idempotency (
    principal    text not null,                -- person:7, device:3
    key          text not null,
    request_hash blob not null,                -- SHA-256 of method, path and body
    answer       text not null,                -- JSON, given again to a repeat
    created_at   integer not null,
    primary key (principal, key)
) strict, without rowid;
create index idempotency_age on idempotency (created_at);
