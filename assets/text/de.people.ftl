# Personen
find = Suchen
find-label = Person, Raum, Gruppe oder Seite
find-results = Treffer
find-count = { $n ->
    [one] Ein Treffer
   *[other] { $n } Treffer
  }
find-nobody = Nichts gefunden für „{ $query }“.
find-more = Das sind die ersten { $n }, es gibt mehr: bitte mehr Buchstaben tippen.
shortcuts = Tasten
shortcuts-hint = Einzelne Buchstaben gelten, wenn kein Feld den Fokus hat. Unter „Mein Konto“ lassen sie sich abschalten.
key-find = Personen, Räume und Seiten suchen
key-help = Diese Liste zeigen
key-move = Hilfe-Liste: weiter, zurück
key-claim = Hilfe-Liste: ich helfe
key-done = Hilfe-Liste: erledigt
key-all = Personen: alle in der Liste auswählen
key-bar = Personen: vom Kästchen zur Leiste der Auswahl
key-undo = Zurücknehmen, was eben geschah
key-close = Schließen
person = Person
person-add = Person anlegen
given-name = Vorname
family-name = Nachname
display-name = Anzeigename
display-name-hint-person = So heißt die Person auf Listen und Tafeln. Leer: Vor- und Nachname.
number = Nummer
number-hint = Aus Ihrer Schulsoftware. Daran erkennt ein Import die Person wieder.
language = Sprache
language-none = nicht bekannt
language-de = Deutsch
language-en = Englisch
group-none = Keine Gruppe
role = Rolle
people-counts = { $members } { members } · { $staff } Mitarbeitende
people-search = Name oder Gruppe suchen
people-shown = { $n } von { $all }
people-none = Noch niemand hier
people-none-hint = Importieren Sie eine Liste, oder legen Sie einzelne Personen an.
columns = Spalten
columns-hint = Der Name steht immer da. Ihre Wahl bleibt auf diesem Gerät.
columns-usual = Übliche Spalten
select-all = Alle in der Liste auswählen
selection = Auswahl
selection-clear = Aufheben
selected = { $n } ausgewählt
selected-unseen = { $n } davon nicht in dieser Liste
move-to-group = In Gruppe …
move-title = { $n ->
    [one] { $name } in eine Gruppe verschieben
   *[other] { $n } Personen in eine Gruppe verschieben
  }
move-hint = Sie ersetzt die jetzige Gruppe derselben Art, etwa die Klasse. Andere Gruppen bleiben.
move-now = Verschieben
group-choose = Bitte wählen
moved = { $n ->
    [one] { $name } ist jetzt in { $what }.
   *[other] { $n } Personen sind jetzt in { $what }.
  }
people-leave = Ausscheiden …
people-leave-title = { $n ->
    [one] { $name } als ausgeschieden markieren?
   *[other] { $n } Personen als ausgeschieden markieren?
  }
people-leave-text = Sie verlassen das Haus sofort. Offene Bitten um Hilfe, Aufsichten und Anmeldungen enden, Karten und Konten gelten nicht mehr. Das kommt nicht von selbst wieder.
people-leave-here = { $n ->
    [one] Eine Person ist gerade im Haus und wird ausgecheckt.
   *[other] { $n } sind gerade im Haus und werden ausgecheckt.
  }
people-leave-own = Sie selbst sind dabei und werden abgemeldet.
people-left = { $n ->
    [one] { $name } ist ausgeschieden.
   *[other] { $n } Personen sind ausgeschieden.
  }
people-return = Wieder aufnehmen
people-returned = { $n ->
    [one] { $name } gehört wieder zum Haus.
   *[other] { $n } Personen gehören wieder zum Haus.
  }
taken-back = Zurückgenommen: { $n }
bulk-through = { $n } von { $all } …
bulk-stop = Anhalten
bulk-result = { $n } erledigt, { $errors } fehlgeschlagen
bulk-show = Zeigen
bulk-failed = Fehlgeschlagen: { $n }
bulk-failed-hint = Sie bleiben ausgewählt.
person-edit = Ändern
person-edit-draft = Entwurf fortsetzen
person-edit-title = { $name } ändern
person-saved = Gespeichert: { $name }
person-meanwhile = Inzwischen hat hier jemand anders etwas geändert. Jetzt gilt: { $text }
person-sure = { $name } wirklich so ändern?
person-leave-text = { $name } verlässt das Haus sofort{ $n ->
    [0] {""}
   *[other] {" "}und wird ausgecheckt
  }. Offene Bitten um Hilfe, Aufsichten und Anmeldungen enden, Karten und Konto gelten nicht mehr. Das kommt nicht von selbst wieder.
role-from-member = { $name } ist danach in keiner Gruppe und in keinem Raum mehr; eine offene Bitte um Hilfe wird zurückgenommen.
role-from-team = Die neue Rolle gilt sofort. Aufsichten, Gruppen und begonnene Hilfe, die nicht mehr dazu gehören, enden.
role-own = Es ist Ihre eigene Rolle: diese Seite sehen Sie danach vielleicht nicht mehr.
belonging = Zugehörigkeit
state-active = gehört zum Haus
state-inactive = ausgeschieden
nothing = leer
field-needed = Bitte ausfüllen.
form-faults = Noch nicht gespeichert. Bitte ansehen:
leave-title = Noch nicht gespeichert
leave-text = Was Sie geschrieben haben, ist noch nicht gespeichert. Ein Entwurf bleibt in diesem Tab, bis Sie sich abmelden.
leave-discard = Verwerfen
leave-keep = Entwurf behalten
leave-stay = Weiterschreiben
all-groups = Alle Gruppen
any-status = Jeder Status
out-of-scope = Nicht in Ihrer Obhut: Sie sehen nur, ob diese Person da ist.
contacts = Kontakte
contacts-show = Kontakte zeigen
contacts-none = Es sind keine Kontakte notiert.
contacts-reason = Diese Person ist nicht in Ihrer Obhut. Sagen Sie, warum Sie anrufen müssen; es wird notiert.
need-accident = Unfall
need-illness = Krankheit
need-missing = Vermisst
need-pick_up = Wird abgeholt
contact-may-fetch = darf abholen
contact-emergency = Notfall
account-of = Konto
account-new = Neues Konto: Benutzername
account-open = Konto anlegen
account-made = Passwort von { $name }. Es wird nur dieses eine Mal gezeigt.
account-password = Neues Passwort
account-password-title = Neues Passwort für { $name }?
account-password-text = Das alte gilt nicht mehr, und { $name } wird überall abgemeldet. Das neue wird einmal gezeigt.
account-close = Konto sperren
account-close-title = Konto von { $name } sperren?
account-close-text = { $name } wird überall abgemeldet und kann sich nicht mehr anmelden. Sie können es wieder freigeben.
account-close-done = Das Konto von { $name } ist gesperrt.
account-closed = gesperrt
account-reopen = Konto freigeben
account-reopen-done = { $name } kann sich wieder anmelden.
badges = Karten
badge-active = gültig
badge-blocked = gesperrt
badge-block = Sperren
badge-block-title = Karte …{ $tag } sperren?
badge-block-text = { $name } kommt damit nirgends mehr hinein. Nur die Leitung kann sie wieder freigeben.
badge-block-done = Karte …{ $tag } ist gesperrt.
badge-unblock = Freigeben
badge-unblock-done = Karte …{ $tag } gilt wieder.
badge-take-back = Zurücknehmen
badge-take-back-title = Karte …{ $tag } zurücknehmen?
badge-take-back-text = Sie gehört danach niemandem, auch { $name } nicht, und kann neu ausgegeben werden.
badge-take-back-done = Karte …{ $tag } ist zurückgenommen.
badge-new = Neue Karte
badge-new-hint = Halten Sie die Karte an ein Lesegerät an diesem Rechner, oder tippen Sie ihre Nummer.
badge-give = Ausgeben
import-csv = CSV importieren
import-file = Datei
import-hint = CSV aus Excel oder Ihrer Schulsoftware, deutsche oder englische Überschriften. Nichts ändert sich, bevor Sie bestätigen.
import-new = neu
import-changed = geändert
import-same = gleich
import-errors = Fehler
import-summary = { $fresh } neu, { $changed } geändert, { $same } gleich, { $errors } Fehler
import-ignored = { $n ->
    [one] Diese Spalte wird nicht gelesen: { $names }.
   *[other] Diese Spalten werden nicht gelesen: { $names }.
  }
import-fix = Bitte in der Datei verbessern und sie neu wählen, oder oben Spalten anders zuordnen. Es wurde nichts importiert.
import-now = { $n } importieren
import-done = { $n } importiert
import-when = { $day }, { $time }
import-last = Zuletzt importiert am { $when }, von { $by }: { $fresh } neu, { $changed } geändert.
import-by-command = der Befehlszeile
import-undo = Import rückgängig machen
import-undo-until = Rückgängig bis { $when }.
import-undo-ask = Import rückgängig machen?
import-undo-text = Es geht um den Import vom { $when }: { $fresh } neu, { $changed } geändert. Wer mit ihm kam, ist danach wieder weg, oder inaktiv, wenn inzwischen mehr bekannt ist. Wer geändert wurde, ist wie vorher. Was seither von Hand geändert wurde, bleibt.
import-undone = Rückgängig gemacht: { $gone } entfernt, { $restored } wie vorher
import-undone-inactive = { $n ->
    [one] Eine Person ist jetzt inaktiv, weil inzwischen mehr von ihr bekannt ist.
   *[other] { $n } Personen sind jetzt inaktiv, weil inzwischen mehr von ihnen bekannt ist.
  }
import-undone-kept = { $n ->
    [one] Bei einer Person bleibt, was seither geändert oder benutzt wurde.
   *[other] Bei { $n } Personen bleibt, was seither geändert oder benutzt wurde.
  }
import-columns = Spalten: { $n } von { $all } werden gelesen
import-column = Spalte { $letter }
import-example = zum Beispiel { $value }
import-field-none = wird nicht gelesen
import-field-given-name = Vorname
import-field-family-name = Nachname
import-field-name = ganzer Name
import-field-display-name = Anzeigename
import-field-number = Nummer
import-field-role = Rolle
import-field-language = Sprache
import-field-class = Klasse
import-field-care = Gruppe
import-field-ward = Station
import-field-badge = Karte
import-field-contact = Kontakt
import-field-phone = Telefon
import-field-relation = Beziehung
import-field-may-fetch = darf abholen
import-field-emergency = Notfallkontakt
import-field-state = wieder dabei
import-field-groups = Gruppen
import-rows = Wer neu ist oder sich ändert ({ $n })
import-rows-some = Wer neu ist oder sich ändert (die ersten { $n } von { $all })
import-what = Was geschieht
import-row-changed = geändert: { $what }
import-badge-taken = Diese Karte gehört schon jemandem.
import-badge-twice = Diese Karte steht zweimal in der Datei.
import-badge-wrong = Das ist keine Kartennummer.
import-column-twice = Eine andere Spalte bedeutet dasselbe. Bitte oben eine anders zuordnen.
import-contact-name = Zu dieser Nummer fehlt der Name.
import-contact-twice = Dieser Kontakt steht zweimal da.
import-empty = Die Datei enthält keine Zeilen.
import-encoding = Die Zeichen sind nicht lesbar. Bitte als CSV UTF-8 speichern.
import-formula-failed = Die Formel dieser Zelle ist fehlgeschlagen.
import-language-unknown = Diese Sprache ist nicht bekannt: de oder en.
import-no-name = Hier fehlt der Name.
import-no-name-column = Es fehlt eine Spalte mit Namen. Bitte oben zuordnen.
import-no-such-column = Diese Spalte hat die Datei nicht.
import-no-table = Das ist keine Tabelle, sondern etwa ein Bild oder PDF. Bitte die Liste als CSV UTF-8 speichern.
import-number-mangled = Die Tabelle hat diese Nummer gekürzt. Bitte die Spalte als Text speichern.
import-number-twice = Diese Nummer steht zweimal in der Datei.
import-office-group = Das Büro ist für keine Gruppe zuständig.
import-person-ambiguous = Mehrere heißen so. Bitte Nummern angeben.
import-person-twice = Diese Person steht zweimal in der Datei.
import-role-admin = Eine Leitung wird nicht durch eine Datei bestimmt.
import-role-missing = Jemand arbeitet hier, der so heißt. Bitte die Rolle angeben.
import-role-unknown = Diese Rolle ist nicht bekannt. Möglich sind Kind, Personal und Büro.
import-too-long = Das ist zu lang.
import-too-many-cells = Die Zeile hat mehr Zellen als Überschriften.
import-too-many-columns = Die Datei hat zu viele Spalten.
import-too-many-rows = Die Datei hat zu viele Zeilen.
import-unclosed-quote = Ein Anführungszeichen bleibt offen.
import-unreadable = Das lässt sich nicht lesen.
import-workbook = Das ist eine Arbeitsmappe. Bitte als CSV speichern.
import-yes-or-no = Bitte ja oder nein.
problem-request-invalid-username = Der Benutzername darf Buchstaben, Ziffern und . _ - @ + haben, höchstens 64 Zeichen.
problem-request-invalid-given-name = Ein Name darf höchstens 80 Zeichen haben und nicht leer sein.
problem-request-invalid-family-name = Ein Name darf höchstens 80 Zeichen haben.
problem-request-invalid-display-name = Ein Anzeigename darf höchstens 161 Zeichen haben.
problem-request-invalid-number = Eine Nummer darf höchstens 60 Zeichen haben.
problem-request-invalid-added = Diese Gruppe gibt es nicht, oder die Rolle passt nicht: nur { members } sind in Gruppen.
problem-request-invalid-tag = Das ist keine Kartennummer.
problem-request-invalid-response = Das ist zu lang.
problem-account-exists = Es gibt schon ein Konto.
problem-attendance-has-visits = War heute schon in einem Raum und kann nicht als abwesend gelten.
problem-attendance-other-day = Das gilt nur für heute.
problem-device-revoked = Dieses Gerät ist gesperrt.
problem-person-last-admin = Das Haus braucht mindestens eine Leitung.
problem-person-number-taken = Diese Nummer gehört schon jemandem.
problem-person-changed = Jemand anders hat diese Person inzwischen geändert. Bitte noch einmal ansehen und speichern.
problem-run-ended = Das ist schon beendet.
problem-run-not-ended = Das läuft noch.
problem-supervision-ended = Diese Aufsicht ist schon beendet.
problem-supervision-held = Das beaufsichtigt schon jemand.
problem-supervision-not-held = Diese Aufsicht liegt bei jemand anderem.
problem-supervision-offered = Es ist schon jemand gefragt.
problem-supervision-offer-ended = Dieses Angebot gilt nicht mehr.
problem-supervision-offer-not-yours = Darüber entscheidet jemand anderes.
problem-supervision-standing = Diese Aufsicht gilt dauernd und endet nicht hier.
problem-visit-ended = Ist schon gegangen.
problem-visit-undone = Das ist schon rückgängig gemacht.
problem-help-undo-too-late = Mehr als fünf Minuten her: es lässt sich nicht mehr rückgängig machen.
problem-help-asked-again = Inzwischen liegt eine neue Bitte vor.
problem-help-not-done = Diese Bitte ist noch nicht erledigt.
problem-import-undo-too-late = Dieser Import ist zu lange her.
problem-import-not-newest = Inzwischen gab es einen neueren Import. Bitte zuerst diesen rückgängig machen.
problem-import-not-found = Dieser Import kann nicht mehr rückgängig gemacht werden.
problem-import-refused = Die Datei wurde nicht übernommen. Bitte unten nachsehen.
