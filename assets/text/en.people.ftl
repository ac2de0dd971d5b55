# People
find = Find
find-label = Person, room, group or page
find-results = Results
find-count = { $n ->
    [one] One result
   *[other] { $n } results
  }
find-nobody = Nothing found for “{ $query }”.
find-more = These are the first { $n }, there are more: please type more letters.
shortcuts = Keys
shortcuts-hint = Single letters work when no field has the focus. You can switch them off under “My account”.
key-find = Find people, rooms and pages
key-help = Show this list
key-move = Help queue: next, previous
key-claim = Help queue: I’ll help
key-done = Help queue: done
key-all = People: select all in the list
key-bar = People: from a box to the bar of the selection
key-undo = Take back what was just done
key-close = Close
person = Person
person-add = Add person
given-name = Given name
family-name = Family name
display-name = Display name
display-name-hint-person = How lists and boards name the person. Empty: given and family name.
number = Number
number-hint = From your school software. An import knows the person by it.
language = Language
language-none = not known
language-de = German
language-en = English
group-none = No group
role = Role
people-counts = { $members } { members } · { $staff } staff
people-search = Search name or group
people-shown = { $n } of { $all }
people-none = Nobody here yet
people-none-hint = Import a list, or add one person after the other.
columns = Columns
columns-hint = The name is always there. Your choice stays on this device.
columns-usual = Usual columns
select-all = Select all in the list
selection = Selection
selection-clear = Clear
selected = { $n } selected
selected-unseen = { $n } of them not in this list
move-to-group = To group …
move-title = { $n ->
    [one] Move { $name } to a group
   *[other] Move { $n } people to a group
  }
move-hint = It replaces the present group of the same kind, such as the class. Other groups stay.
move-now = Move
group-choose = Please choose
moved = { $n ->
    [one] { $name } is in { $what } now.
   *[other] { $n } people are in { $what } now.
  }
people-leave = Leave for good …
people-leave-title = { $n ->
    [one] Mark { $name } as former?
   *[other] Mark { $n } people as former?
  }
people-leave-text = They leave the house at once. Open requests for help, supervisions and sign-ins end, cards and accounts are good no more. None of it comes back by itself.
people-leave-here = { $n ->
    [one] One of them is in the house now and is checked out.
   *[other] { $n } of them are in the house now and are checked out.
  }
people-leave-own = You are one of them and are signed out.
people-left = { $n ->
    [one] { $name } has left for good.
   *[other] { $n } people have left for good.
  }
people-return = Take in again
people-returned = { $n ->
    [one] { $name } belongs to the house again.
   *[other] { $n } people belong to the house again.
  }
taken-back = Taken back: { $n }
bulk-through = { $n } of { $all } …
bulk-stop = Stop
bulk-result = { $n } done, { $errors } failed
bulk-show = Show
bulk-failed = Failed: { $n }
bulk-failed-hint = They stay selected.
person-edit = Change
person-edit-draft = Continue draft
person-edit-title = Change { $name }
person-saved = Saved: { $name }
person-meanwhile = Somebody else has changed this meanwhile. Now it is: { $text }
person-sure = Really change { $name } like this?
person-leave-text = { $name } leaves the house at once{ $n ->
    [0] {""}
   *[other] {" "}and is checked out
  }. Open requests for help, supervisions and sign-ins end, cards and account are good no more. None of it comes back by itself.
role-from-member = { $name } is then in no group and in no room any more; an open request for help is taken back.
role-from-team = The new role counts at once. Supervisions, groups and help under way that do not belong to it end.
role-own = It is your own role: you may not see this page any more afterwards.
belonging = Belonging
state-active = belongs to the house
state-inactive = former
nothing = empty
field-needed = Please fill in.
form-faults = Not saved yet. Please look at:
leave-title = Not saved yet
leave-text = What you wrote is not saved yet. A draft stays in this tab until you sign out.
leave-discard = Discard
leave-keep = Keep draft
leave-stay = Go on writing
all-groups = All groups
any-status = Any status
out-of-scope = Not in your care: you see only whether this person is here.
contacts = Contacts
contacts-show = Show contacts
contacts-none = No contacts are noted.
contacts-reason = This person is not in your care. Say why you need to call; it is written down.
need-accident = Accident
need-illness = Illness
need-missing = Missing
need-pick_up = Being fetched
contact-may-fetch = may fetch
contact-emergency = emergency
account-of = Account
account-new = New account: user name
account-open = Open account
account-made = Password of { $name }. It is shown only this once.
account-password = New password
account-password-title = A new password for { $name }?
account-password-text = The old one ends, and { $name } is signed out everywhere. The new one is shown once.
account-close = Close account
account-close-title = Close the account of { $name }?
account-close-text = { $name } is signed out everywhere and cannot sign in any more. You can open it again.
account-close-done = The account of { $name } is closed.
account-closed = closed
account-reopen = Open again
account-reopen-done = { $name } can sign in again.
badges = Cards
badge-active = valid
badge-blocked = blocked
badge-block = Block
badge-block-title = Block card …{ $tag }?
badge-block-text = It opens nothing for { $name } any more. Only the lead can unblock it.
badge-block-done = Card …{ $tag } is blocked.
badge-unblock = Unblock
badge-unblock-done = Card …{ $tag } is valid again.
badge-take-back = Take back
badge-take-back-title = Take card …{ $tag } back?
badge-take-back-text = It is nobody’s then, not { $name }’s either, and can be handed out anew.
badge-take-back-done = Card …{ $tag } is taken back.
badge-new = New card
badge-new-hint = Hold the card to a reader at this computer, or type its number.
badge-give = Give
import-csv = Import CSV
import-file = File
import-hint = CSV from Excel or your school’s software; German or English headings. Nothing changes before you confirm.
import-new = new
import-changed = changed
import-same = the same
import-errors = errors
import-summary = { $fresh } new, { $changed } changed, { $same } the same, { $errors } errors
import-ignored = { $n ->
    [one] This column is not read: { $names }.
   *[other] These columns are not read: { $names }.
  }
import-fix = Please correct these in the file and choose it again, or match columns otherwise above. Nothing has been imported.
import-now = Import { $n }
import-done = { $n } imported
import-when = { $day }, { $time }
import-last = Last import on { $when }, by { $by }: { $fresh } new, { $changed } changed.
import-by-command = the command line
import-undo = Undo import
import-undo-until = Can be undone until { $when }.
import-undo-ask = Undo the import?
import-undo-text = This is about the import of { $when }: { $fresh } new, { $changed } changed. Whoever came with it is gone afterwards, or inactive if more is known of them by now. Whoever was changed is as before. What was changed by hand since stays.
import-undone = Undone: { $gone } gone, { $restored } as before
import-undone-inactive = { $n ->
    [one] One person is inactive now, since more is known of them by now.
   *[other] { $n } people are inactive now, since more is known of them by now.
  }
import-undone-kept = { $n ->
    [one] One person keeps what was changed or used since.
   *[other] { $n } people keep what was changed or used since.
  }
import-columns = Columns: { $n } of { $all } are read
import-column = Column { $letter }
import-example = such as { $value }
import-field-none = not read
import-field-given-name = given name
import-field-family-name = family name
import-field-name = whole name
import-field-display-name = display name
import-field-number = number
import-field-role = role
import-field-language = language
import-field-class = class
import-field-care = group
import-field-ward = ward
import-field-badge = card
import-field-contact = contact
import-field-phone = telephone
import-field-relation = relation
import-field-may-fetch = may collect
import-field-emergency = emergency contact
import-field-state = back again
import-field-groups = groups
import-rows = Who is new or changes ({ $n })
import-rows-some = Who is new or changes (the first { $n } of { $all })
import-what = What happens
import-row-changed = changed: { $what }
import-badge-taken = This card belongs to somebody else.
import-badge-twice = This card stands in the file twice.
import-badge-wrong = This is no card number.
import-column-twice = Another column means the same. Please match one of them otherwise above.
import-contact-name = This number has no name.
import-contact-twice = This contact is there twice.
import-empty = The file has no rows.
import-encoding = The characters cannot be read. Please save it as CSV UTF-8.
import-formula-failed = The formula of this cell has failed.
import-language-unknown = This language is not known: de or en.
import-no-name = The name is missing here.
import-no-name-column = There is no column with names. Please match it above.
import-no-such-column = The file has no such column.
import-no-table = This is no table but a picture or PDF, say. Please save the list as CSV UTF-8.
import-number-mangled = The spreadsheet has shortened this number. Please save the column as text.
import-number-twice = This number stands in the file twice.
import-office-group = The office is in charge of no group.
import-person-ambiguous = Several have this name. Please give numbers.
import-person-twice = This person stands in the file twice.
import-role-admin = No file makes or changes a lead.
import-role-missing = Somebody of this name works here. Please fill in the role.
import-role-unknown = This role is not known. There are child, staff and office.
import-too-long = This is too long.
import-too-many-cells = The row has more cells than there are headings.
import-too-many-columns = The file has too many columns.
import-too-many-rows = The file has too many rows.
import-unclosed-quote = A quotation mark stays open.
import-unreadable = This cannot be read.
import-workbook = This is a workbook. Please save it as CSV.
import-yes-or-no = Please yes or no.
problem-request-invalid-username = The user name may have letters, digits and . _ - @ +, at most 64 characters.
problem-request-invalid-given-name = A name may have at most 80 characters, and must not be empty.
problem-request-invalid-family-name = A name may have at most 80 characters.
problem-request-invalid-display-name = A display name may have at most 161 characters.
problem-request-invalid-number = A number may have at most 60 characters.
problem-request-invalid-added = There is no such group, or the role does not fit: only { members } are in groups.
problem-request-invalid-tag = This is not the number of a card.
problem-request-invalid-response = This is too long.
problem-account-exists = There is an account already.
problem-attendance-has-visits = Was in a room today and cannot count as absent.
problem-attendance-other-day = This is for today only.
problem-device-revoked = This device is locked out.
problem-person-last-admin = The house needs one lead at least.
problem-person-number-taken = This number is somebody's already.
problem-person-changed = Somebody else has changed this person meanwhile. Please look again and save.
problem-run-ended = This has ended already.
problem-run-not-ended = This still goes on.
problem-supervision-ended = This supervision has ended already.
problem-supervision-held = Somebody supervises this already.
problem-supervision-not-held = This supervision is somebody else's.
problem-supervision-offered = Somebody has been asked already.
problem-supervision-offer-ended = This offer is over.
problem-supervision-offer-not-yours = Somebody else decides about this.
problem-supervision-standing = This supervision is a standing one and does not end here.
problem-visit-ended = Has left already.
problem-visit-undone = This has been taken back already.
problem-help-undo-too-late = More than five minutes ago: it can no longer be undone.
problem-help-asked-again = There is a new request by now.
problem-help-not-done = This request is not done yet.
problem-import-undo-too-late = This import is too long ago.
problem-import-not-newest = There was a newer import since. Please undo that one first.
problem-import-not-found = This import can no longer be undone.
problem-import-refused = The file was not taken over. Please look below.
