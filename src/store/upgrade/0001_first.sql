-- Step 1: the tables of the first release. Never changed once it is released; schema.sql explains them.
create table house (
    house_id    integer primary key check (house_id = 1),
    name        text not null,
    profile     text not null check (profile in ('school', 'club', 'clinic')),
    zone        text not null,
    language    text not null check (language in ('de', 'en')),
    late_after  integer not null default 495,
    closes_at   integer not null default 1080,
    hours_since integer not null default 0,
    demo        integer not null default 0 check (demo in (0, 1)),
    cleaned_on  text,
    created_at  integer not null
) strict;
create table setup_code (
    setup_code_id integer primary key check (setup_code_id = 1),
    code_hash     blob not null,
    expires_at    integer not null
) strict;
create table person (
    person_id    integer primary key,
    number       text unique,
    given_name   text not null,
    family_name  text not null,
    display_name text not null,
    search_key   text not null,
    role         text not null check (role in ('admin', 'office', 'staff', 'member')),
    language     text check (language in ('de', 'en')),
    state        text not null default 'active' check (state in ('active', 'inactive', 'erased')),
    created_at   integer not null
) strict;
create index person_search on person (search_key);
create table account (
    person_id     integer primary key references person on delete cascade,
    username      text not null unique,
    password_hash text not null,
    pin_hash      text,
    pin_wrong     integer not null default 0,
    pin_locked_until integer,
    disabled      integer not null default 0 check (disabled in (0, 1)),
    created_at    integer not null,
    password_at   integer not null
) strict;
create table session (
    session_hash blob primary key,
    public_id    text not null unique,
    person_id    integer not null references account on delete cascade,
    device       text not null default '',
    created_at   integer not null,
    last_seen_at integer not null,
    expires_at   integer not null
) strict, without rowid;
create index session_person on session (person_id);
create index session_expiry on session (expires_at);
create table badge (
    badge_id   integer primary key,
    person_id  integer not null references person on delete cascade,
    tag        text not null unique,
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
create table audit (
    audit_id  integer primary key autoincrement,
    at        integer not null,
    by        text not null,
    act       text not null,
    person_id integer,
    detail    text not null default '',
    seal      blob not null
) strict;
create index audit_person on audit (person_id);
create table room (
    room_id  integer primary key,
    name     text not null unique,
    kind     text not null default 'room' check (kind in ('room', 'foyer', 'yard')),
    capacity integer not null check (capacity > 0)
) strict;
create table "group" (
    group_id integer primary key autoincrement,
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
create unique index run_open on run (room_id) where ended_at is null;
create index run_started on run (started_at);
create table supervision (
    supervision_id integer primary key,
    person_id      integer not null references person,
    run_id         integer references run,
    group_id       integer references "group",
    kind           text not null check (kind in ('standing', 'run', 'substitution')),
    from_at        integer not null,
    until_at       integer,
    ended_at       integer,
    given_by       text not null,
    check ((run_id is null) <> (group_id is null))
) strict;
create unique index supervision_run on supervision (run_id, person_id) where ended_at is null and run_id is not null;
create unique index supervision_group on supervision (group_id, person_id) where ended_at is null and group_id is not null;
create index supervision_person on supervision (person_id, ended_at);
create index supervision_due on supervision (until_at) where ended_at is null and until_at is not null;
create index supervision_of_group on supervision (group_id) where group_id is not null;
create table supervision_offer (
    supervision_offer_id integer primary key,
    supervision_id integer not null references supervision,
    person_id      integer not null references person,
    kind           text not null check (kind in ('hand_over', 'substitution')),
    until_at       integer,
    offered_at     integer not null,
    ended_at       integer,
    outcome        text check (outcome in ('accepted', 'declined') or outcome in ('withdrawn', 'expired')),
    check ((ended_at is null) = (outcome is null))
) strict;
create unique index supervision_offer_open on supervision_offer (supervision_id) where outcome is null;
create index supervision_offer_of on supervision_offer (supervision_id);
create table import (
    import_id  integer primary key autoincrement,
    at         integer not null,
    by         text not null,
    new        integer not null,
    changed    integer not null,
    undone_at  integer,
    gone       integer,
    inactive   integer,
    restored   integer,
    kept       integer,
    check ((undone_at is null) = (gone is null))
) strict;
create table import_person (
    import_id integer not null references import on delete cascade,
    person_id integer not null references person on delete cascade,
    before    text,
    after     text not null,
    primary key (import_id, person_id)
) strict, without rowid;
create table import_group (
    import_id integer not null references import on delete cascade,
    group_id  integer not null references "group" on delete cascade,
    primary key (import_id, group_id)
) strict, without rowid;
create index import_group_group on import_group (group_id);
create table device (
    device_id      integer primary key,
    name           text not null,
    mode           text not null check (mode in ('door_in', 'door_out', 'toggle', 'room', 'kiosk')),
    room_id        integer references room,
    serial         text not null,
    model          text not null,
    firmware       text not null,
    key_prefix     text not null unique,
    key_hash       blob not null,
    next_key_prefix text unique,
    next_key_hash  blob,
    next_key_at    integer,
    language       text not null default 'de' check (language in ('de', 'en')),
    tones          integer not null default 1 check (tones in (0, 1)),
    show_name      text not null default 'first' check (show_name in ('first', 'initials', 'none')),
    daily_checkout_from integer,
    buffer_max     integer not null default 2000,
    tag_order      text not null default 'learn' check (tag_order in ('learn', 'as_sent', 'reversed')),
    boot_id        text not null default '',
    starts         text not null default '',
    queue_depth    integer not null default 0,
    queue_since    integer,
    skew_ms        integer,
    battery        integer,
    rssi           integer,
    free_heap      integer,
    uptime_s       integer,
    oldest_age_s   integer,
    last_seq       integer,
    last_seen_at   integer,
    state          text not null default 'offline' check (state in ('online', 'late', 'offline', 'revoked')),
    alarms         text not null default '',
    enrolled_at    integer not null,
    revoked_at     integer
) strict;
create table enrolment_code (
    code_hash  blob primary key,
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
    key_prefix text not null unique,
    key_hash   blob not null,
    created_at integer not null,
    revoked_at integer
) strict;
create table attendance (
    person_id  integer not null references person,
    day        text not null,
    status     text not null check (status in ('present', 'left') or status in ('excused', 'unreported')),
    late       integer not null default 0 check (late in (0, 1)),
    arrived_at integer,
    left_at    integer,
    source     text not null check (source in ('badge', 'manual') or source = 'auto'),
    reason     text,
    changed_at integer not null,
    primary key (person_id, day)
) strict, without rowid;
create index attendance_day on attendance (day, status);
create table day_mark (
    day        text primary key,
    missing_at integer not null
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
    from_visit_id integer,
    earlier_visit_id integer,
    newest     integer not null default 1 check (newest in (0, 1)),
    attendance_before text check (attendance_before in ('expected', 'left') or attendance_before in ('excused', 'unreported')),
    reason_before text,
    check ((ended_at is null) = (end_reason is null)),
    check (newest = 1 or ended_at is not null)
) strict;
create index visit_room on visit (room_id) where ended_at is null;
create unique index visit_newest on visit (person_id) where newest = 1;
create table scan (
    scan_number integer primary key,
    device_id   integer not null references device,
    scan_id     text not null,
    tag         text not null,
    person_id   integer references person,
    scanned_at  integer not null,
    received_at integer not null,
    outcome     text not null,
    result      text not null,
    unique (scan_id, device_id)
) strict;
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
create index scan_review_scan on scan_review (scan_id, device_id);
create table day_total (
    day        text primary key,
    arrived    integer not null,
    late       integer not null,
    excused    integer not null,
    unreported integer not null,
    visits     integer not null
) strict, without rowid;
create table help_request (
    help_request_id integer primary key,
    person_id   integer not null references person,
    room_id     integer references room,
    run_id      integer references run,
    book_id     text,
    section_id  text,
    content     text not null,
    response    text,
    priority    text not null check (priority in ('normal', 'urgent')),
    status      text not null check (status in ('pending', 'assigned', 'on_hold', 'resolved', 'cancelled', 'expired')),
    front       integer not null default 0 check (front in (0, 1)),
    assigned_to integer references person,
    rev         integer not null default 1,
    created_at  integer not null,
    claimed_at  integer,
    closed_at   integer,
    day         text not null
) strict;
create unique index help_request_open on help_request (person_id) where status in ('pending', 'assigned', 'on_hold');
create index help_request_status on help_request (status, priority, front, created_at);
create index help_request_day on help_request (day);
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
create table tracked (
    tracked_id  integer primary key,
    person_id   integer not null references person,
    client_id   text,
    event_type  text not null,
    book_id     text,
    content     text,
    context     text,
    at          integer not null,
    received_at integer not null
) strict;
create unique index tracked_client on tracked (person_id, client_id) where client_id is not null;
create index tracked_person on tracked (person_id, at);
create index tracked_at on tracked (at);
create table epoch (
    epoch_id integer primary key check (epoch_id = 1),
    epoch    text not null
) strict;
create table event_log (
    seq        integer primary key,
    at         integer not null,
    by         text not null,
    type       text not null,
    v          integer not null,
    topics     text not null,
    subject_id integer,
    data       text not null
) strict;
create table idempotency (
    principal    text not null,
    key          text not null,
    request_hash blob not null,
    answer       text not null,
    created_at   integer not null,
    primary key (principal, key)
) strict, without rowid;
create index idempotency_age on idempotency (created_at);
