# What a tablet says by a door. Members are called du, staff Sie; the greetings come from the house.
kiosk-hold = Hold your card here
kiosk-or = No card with you?
kiosk-type = Type its number
kiosk-now = On now: { $activity }
kiosk-filled = { $count } of { $capacity } places taken
kiosk-language-other = Deutsch
kiosk-up = Connected
kiosk-down = No connection since { $time }
kiosk-shut-out = No access
kiosk-waiting = { $n ->
    [one] 1 card saved on this tablet
   *[other] { $n } cards saved on this tablet
}
kiosk-refused = { $n ->
    [one] 1 card was not taken. Please tell the office.
   *[other] { $n } cards were not taken. Please tell the office.
}
kiosk-saved = Saved on this tablet.
kiosk-saved-later = We'll pass it on when the network is back.
kiosk-saved-office = Please tell the office about it.
kiosk-not-kept = This card could not be saved.
kiosk-not-kept-hint = Please see a member of staff.
kiosk-full = This tablet cannot save another card.
kiosk-room-left = { $n ->
    [one] Room for only 1 more card. Please tell the office.
   *[other] Room for only { $n } more cards. Please tell the office.
}
kiosk-no-room = No room for any more cards. Please tell the office.
kiosk-not-taken = This card was not taken.
kiosk-not-counted = This card was not counted.
kiosk-not-counted-hint = Please hold it here again.
kiosk-number = Number of your card
kiosk-pad = Keys
kiosk-delete = Delete the last one
kiosk-back = Back
kiosk-go = Done
kiosk-next = Next
kiosk-here = I am here.
kiosk-office = Please tell the office
kiosk-office-hint = This tablet has no access to the house any more. It goes on saving cards, and none is lost.
kiosk-enrol-anew = Enrol anew
kiosk-enrol = Connect this tablet
kiosk-enrol-hint = The lead makes a code on the page “Devices”. It works once, for 15 minutes.
kiosk-code = Enrolment code
kiosk-enrol-go = Connect
kiosk-device-enroll-code-wrong = This code is not known. Please compare it with the page “Devices”.
kiosk-device-enroll-code-used = This code has been used already. Please make a new one.
kiosk-device-enroll-code-expired = This code has expired. Please make a new one.
kiosk-no-memory = This browser keeps nothing
kiosk-no-memory-hint = A kiosk has to keep cards while the network is away. Please open the page in a window that is not private.
kiosk-staff = Staff
kiosk-what = What would you like to do?
kiosk-start = What begins here?
kiosk-nothing = There is no activity yet. The lead adds them on the page Rooms.
kiosk-since = { $activity }, since { $time }
kiosk-end = End { $activity }
kiosk-take-over = Take over { $activity }
kiosk-who = Hold your card here, or type your user name.
kiosk-username = User name
kiosk-pin = Your PIN
kiosk-started = { $activity } has begun.
kiosk-taken-over = You are in charge now: { $activity }.
kiosk-ended = { $activity } has ended.
kiosk-ended-undo = { $n ->
    [0] Nobody was here. It can be reopened until { $time }.
    [one] 1 person has left with it. It can be reopened until { $time }.
   *[other] { $n } people have left with it. It can be reopened until { $time }.
}
kiosk-pin-wrong = Person and PIN do not belong together. You set your PIN on the page My account.
kiosk-pin-locked = Too many tries. This PIN is locked for 15 minutes.
kiosk-access-role = Only those who supervise begin and end things here.
kiosk-run-not-own = Only those in charge may end this.
kiosk-run-room-taken = Something runs in this room already.
kiosk-run-ended = This has ended already.
kiosk-not-found = This is not there any more. Please choose again.
kiosk-supervision-held = Somebody is in charge of it already.
kiosk-request-invalid = This is neither a card nor a user name. Please try again.
kiosk-no-answer = The house does not answer. Please try again in a moment.
kiosk-busy = The house is busy. Please try again in a moment.
kiosk-failed = That did not work. Nothing was changed.
