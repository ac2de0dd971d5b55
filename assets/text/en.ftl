# @import "./en.people.ftl";
# @import "./en.office.ftl";

# Words of the trade; the house's profile chooses.
members = { $profile ->
    [clinic] patients
   *[other] children
  }
title = { $page } · Daybook

# Frame
skip = Skip to the content
pages = Pages
demo-banner = Demo house. All names are invented.
language-other = Deutsch
theme = Look
theme-system = As this device
theme-light = Light
theme-dark = Dark
theme-contrast = High contrast
sign-out = Sign out
today = Today
people = People
devices = Devices
readers = Readers
wall = Wall screen
wall-leave = Leave
account = My account
groups = Groups
group = Group
my-group = My group
my-supervision = My supervision
my-place = My place
help-queue = Help queue
help = Help
not-found = There is no such page.
loading = Loading
close = Close
cancel = Cancel
save = Save
undo = Undo
try-again = Try again
choose = Choose…
print = Print
name = Name
status = Status
state = State
value = Value
now = Now
row = Row
column = Column
problem = Problem
actions = Actions
more = More
quoted = “{ $text }”
yes = yes
no = no
never = never
nobody = Nobody
and-more = and { $n } more
just-now = just now
seconds = { $n } s

# Link
link-live = Live
link-connecting = Connecting…
link-reconnecting = Reconnecting…
link-none = No connection
link-retry = Retry
link-lost = No connection since { $time }. What you see may be out of date.
as-of = as of { $time }

# Board
house-counts = The house now
present = Present
on-the-way = On the way
waiting-for-help = Waiting for help
not-here = Not here
tile-present = { $n } in rooms
tile-transit = in no room
tile-help-none = Nobody is waiting
tile-expected = { $n }{"\u00A0"}expected
tile-absent = { $n }{"\u00A0"}absent
tile-left = { $n }{"\u00A0"}left
rooms = Rooms
rooms-none = No rooms yet
rooms-none-hint = Please ask the lead to add them; then each has its card here.
rooms-add = Add rooms
room = Room
rooms-free = Free now
room-free = free
room-no-run = nothing runs here
room-full = Full
room-unsupervised = No supervision
room-taken = { $activity } runs
rooms-all-well = { $n ->
    [0] Nothing is running now
   *[other] Every running room is supervised
  }
attention = Needs a look
seats = { $n ->
    [one] { $n } place
   *[other] { $n } places
  }
take-over = Take over
online-now = Signed in now
online-members = { $n } of the { members } at their places
activity = Activity
activity-none = What { members } do in books and practice appears here.
activity-page-viewed = reads
activity-word-looked-up = looked up a word
activity-section-viewed = reads on
activity-book-opened = opened a book
activity-book-closed = closed a book
activity-assistant-asked = asked the assistant
user-online = online
user-away = away
role-admin = Lead
role-office = Office
role-staff = Staff
role-member = { $profile ->
    [clinic] Patient
   *[other] Child
  }
role-display = Wall screen

# Runs
runs = Runs
run-start = Start
run-start-short = New
run-start-now = Start now
run-missing-rooms = There is no room yet in which something could start.
run-missing-activities = There is no activity yet that could start.
run-missing-both = There is no room and no activity yet. Nothing can start without them.
run-missing-go = To the page “Rooms”
run-missing-ask = Please ask the lead, who adds both.
run-end = End
run-end-title = End “{ $activity }”?
run-end-text = { $n ->
    [0] Nobody is checked in. You can reopen it for five minutes.
    [one] One person is checked out. You can reopen it for five minutes.
   *[other] { $n } people are checked out. You can reopen it for five minutes.
  }
run-ended = This ended at { $time }
run-ended-toast = { $room } ended, { $n } checked out
run-reopen = Reopen
run-lists = Lists of this run
run-here = Here
run-expected = Expected
run-left = Just left
run-here-none = Nobody is here yet. Tap a name under “Expected”, or hold a card to the reader.
run-here-over = Nobody is here any more.
run-expected-none = Nobody else is expected.
run-left-none = Nobody has left.
runs-alone = Without supervision
runs-alone-none = { $n ->
    [0] Nothing is running now.
   *[other] Somebody is in charge of everything that runs.
  }
act-here = Check out
act-expected = Check in
act-left = Back in
act-undo = Take back
since = since { $time }
with-staff = with { $names }
left-at = left { $time }
reason-transferred = to another room
reason-run_ended = run ended
reason-day_closed = day closed
expected = Expected
filter-names = Filter by name
filter-status = Show only
checked-in = { $name } is in { $room }
checked-out = { $name } checked out
announce-run = { $came } arrived, { $went } left
bring-in = Bring someone in
bring-in-label = Who?
bring-in-hint = Everyone who is in the house, at least two letters.
bring-into = Check in: { $room }
hand-over = Hand over
hand-over-title = Hand over { $what }
hand-over-from = From
hand-over-to = To
hand-over-kind = For how long
hand-over-hand-over = For good: I am no longer in charge
hand-over-decided = For good: whose it was is no longer in charge
hand-over-substitution = For a while: as a substitute
handed-over = { $what } is with { $name } now
offers = Open hand-overs
offer-run = { $activity }, { $room }
offer-to-you-hand-over = { $name } wants to hand over to you: { $what }
offer-to-you-substitution = { $name } asks you to stand in until { $time }: { $what }
offer-until-yes = Until you accept, { $name } stays in charge.
offer-by-you-hand-over = { $name } has been asked: { $what }
offer-by-you-substitution = { $name } has been asked to stand in until { $time }: { $what }
offer-stays = Until they accept, you stay in charge.
offer-accept = Take over
offer-decline = Decline
offer-withdraw = Withdraw
offer-accept-toast = With you now: { $what }
offer-decline-toast = Declined, { $name } stays in charge: { $what }
offer-withdraw-toast = Withdrawn: { $what }
offer-hint = You stay in charge until the other person accepts.
offer-ask = Ask
offer-made = { $name } has been asked: { $what }. Until they accept, you stay in charge.
offer-heard = { $name } wants to hand a supervision over to you.
offer-show = Show
offer-told-accepted = { $name } has taken over.
offer-told-declined = { $name } has declined. You stay in charge.

# Group
group-empty = Nobody belongs to this group yet.
group-expected = Not here yet
group-on_the_way = On the way
group-here = Here
group-absent = Absent
group-left = Left
in-a-room = in a room
absent-excused = excused
absent-unreported = not reported
expected-detail = has not arrived
reason = Reason
reason-hint = Optional. Only those in charge see it, and it is deleted after 30 days.
marked = { $name }: { $status }
mark-present = present
mark-left = left
mark-excused = excused
mark-unreported = not reported
mark-expected = expected
mark-as-present = Is here
mark-as-left = Has left
mark-as-excused = Is excused
mark-as-unreported = Is missing, not reported
mark-as-expected = Is expected after all

# Help queue
help-empty = Nobody is waiting.
help-empty-hint = New requests appear here with a sound.
help-empty-muted = New requests appear here. The sound is off.
help-office = The office sees the figures of the queue, not the requests.
waiting = Waiting
waits = waits
being-helped = Being helped
help-today = { $n } helped today · median wait { $wait }
help-keys = J / K to move, H to help, D for done
help-done-head = Just done
help-claim = I’ll help
help-release = Put back
help-hold = Hold
help-resolve = Done
help-claim-toast = You are helping { $name }
help-release-toast = { $name } waits again
help-hold-toast = { $name } is on hold and comes first
help-resolve-toast = { $name } marked as done
help-reopen-toast = You are helping { $name }
help-resolve-title = Done with { $name }?
help-response = Answer
help-response-hint = Optional. { $profile ->
    [clinic] The patient
   *[other] The child
  } reads it.
with-you = with you
with-name = with { $name }
on-hold = on hold
on-hold-head = On hold
no-message = No message
urgent = Urgent
sound-on = Sound on
sound-off = Sound off
sound-quiet = Quiet until { $time }
help-open = Waiting
help-longest = Longest wait
help-median = Median wait

# My place
where-room = You are here: { $room }
where-present = You are in the house
where-absent = You are not in the house
ask-title = Do you need help?
ask-label = What is it about?
ask-hint = You can leave this empty.
ask-urgent = It is urgent
ask-urgent-short = Urgent
ask-help = I need help
ask-again = I need help again
ask-queue-none = Nobody is waiting before you.
ask-queue = { $n ->
    [one] One is waiting before you.
   *[other] { $n } are waiting before you.
  }
ask-usual = Usually about { $n } min.
ask-edit = Change
ask-cancel = No longer needed
ask-cancel-title = Take your request back?
ask-keep = Keep it
ask-cancel-text = You lose your place in line.
ask-cancelled = Your request is withdrawn.
somebody-comes = Somebody is coming to you
someone-comes = { $name } is coming to you
someone-comes-hint = Stay where you are.
place-in-line = { $n ->
    [1] You are next
   *[other] You are number { $n }
  }
place-on-hold = A moment, you will be first again
place-wait = Your request is in. Waiting for { $wait } { $hours ->
    [0] min
   *[other] h
  }.
place-done = Done
place-expired = The day is over; your request has expired.

# Problems
problem-network = No connection to the house.
problem-no-answer = No answer from the house. It may have been done all the same.
problem-unknown = That did not work. Nothing was changed.
problem-changed = This has changed meanwhile. Please look again.
problem-request-invalid = Something is not right here. Please check.
problem-request-invalid-content = This is too long.
problem-request-invalid-new = This password is easy to guess. Take at least eight characters, not the user name and not the name of the house.
problem-request-invalid-pin = Four to eight digits, and no row such as 1234 or 1111.
problem-page = This page has a problem.
problem-busy = The house is busy. Please try again in a moment.
problem-not-found = This is not here, or not for you to see.
problem-forbidden = You may not do this.
problem-visit-room-full = The room is full.
problem-visit-run-ended = This has ended. Start it again, or choose another.
problem-visit-undo-too-late = More than five minutes ago: it can no longer be undone.
problem-help-already-open = You have asked already. We are on our way.
problem-help-already-claimed = { $name } helps already.
problem-room-full = The room is full.
problem-run-room-taken = Something runs in this room already.
problem-run-not-own = Only those in charge may do this.
problem-run-reopen-too-late = More than five minutes ago: it can no longer be reopened.
problem-visit-already-in = Already here.
problem-visit-elsewhere = Already in another room.
problem-visit-not-present = This person is not in the house yet.
problem-help-closed = This request is closed already.
problem-help-not-claimed = Nobody has taken this request.
problem-password-own = You change your own password on the page My account.
problem-password-wrong = The present password is not right.
problem-badge-taken = This card belongs to somebody else.
problem-account-username-taken = This user name is taken.
problem-login-too-many = Too many tries. Please wait a minute.
