# @import "./de.people.ftl";
# @import "./de.office.ftl";

# Wörter des Hauses; das Profil wählt.
members = { $profile ->
    [clinic] Patienten
   *[other] Kinder
  }
title = { $page } · Daybook

# Rahmen
skip = Zum Inhalt springen
pages = Seiten
demo-banner = Demo-Haus. Alle Namen sind erfunden.
language-other = English
theme = Aussehen
theme-system = Wie dieses Gerät
theme-light = Hell
theme-dark = Dunkel
theme-contrast = Hoher Kontrast
sign-out = Abmelden
today = Heute
people = Personen
devices = Geräte
readers = Lesegeräte
wall = Wandanzeige
wall-leave = Verlassen
account = Mein Konto
groups = Gruppen
group = Gruppe
my-group = Meine Gruppe
my-supervision = Meine Aufsicht
my-place = Mein Platz
help-queue = Hilfe-Liste
help = Hilfe
not-found = Diese Seite gibt es nicht.
loading = Lädt
close = Schließen
cancel = Abbrechen
save = Speichern
undo = Rückgängig
try-again = Nochmal versuchen
choose = Bitte wählen…
print = Drucken
name = Name
status = Status
state = Zustand
value = Wert
now = Jetzt
row = Zeile
column = Spalte
problem = Problem
actions = Aktionen
more = Mehr
quoted = „{ $text }“
yes = ja
no = nein
never = nie
nobody = Niemand
and-more = und { $n } weitere
just-now = gerade eben
seconds = { $n } s

# Verbindung
link-live = Live
link-connecting = Verbindet…
link-reconnecting = Verbindet neu…
link-none = Keine Verbindung
link-retry = Nochmal
link-lost = Keine Verbindung seit { $time }. Die Anzeige kann veraltet sein.
as-of = Stand { $time }

# Übersicht
house-counts = Das Haus jetzt
present = Anwesend
on-the-way = Unterwegs
waiting-for-help = Warten auf Hilfe
not-here = Nicht da
tile-present = { $n } in Räumen
tile-transit = in keinem Raum
tile-help-none = Niemand wartet
tile-expected = { $n }{"\u00A0"}erwartet
tile-absent = { $n ->
    [one] { $n }{"\u00A0"}fehlt
   *[other] { $n }{"\u00A0"}fehlen
  }
tile-left = { $n }{"\u00A0"}gegangen
rooms = Räume
rooms-none = Noch keine Räume
rooms-none-hint = Bitten Sie die Leitung, sie anzulegen; dann hat hier jeder seine Karte.
rooms-add = Räume anlegen
room = Raum
rooms-free = Gerade frei
room-free = frei
room-no-run = hier läuft nichts
room-full = Voll
room-unsupervised = Ohne Aufsicht
room-taken = { $activity } läuft
rooms-all-well = { $n ->
    [0] Gerade läuft nichts
   *[other] Jeder laufende Raum hat eine Aufsicht
  }
attention = Bitte ansehen
seats = { $n ->
    [one] { $n } Platz
   *[other] { $n } Plätze
  }
take-over = Übernehmen
online-now = Jetzt angemeldet
online-members = { members } an ihren Plätzen: { $n }
activity = Aktivität
activity-none = Hier erscheint, was { members } in Büchern und Übungen tun.
activity-page-viewed = liest
activity-word-looked-up = hat ein Wort nachgeschlagen
activity-section-viewed = liest weiter
activity-book-opened = hat ein Buch geöffnet
activity-book-closed = hat ein Buch zugeklappt
activity-assistant-asked = hat den Assistenten gefragt
user-online = online
user-away = kurz weg
role-admin = Leitung
role-office = Büro
role-staff = Betreuung
role-member = { $profile ->
    [clinic] Patient
   *[other] Kind
  }
role-display = Wandanzeige

# Angebote
runs = Laufende Angebote
run-start = Beginnen
run-start-short = Neu
run-start-now = Jetzt beginnen
run-missing-rooms = Es gibt noch keinen Raum, in dem etwas beginnen könnte.
run-missing-activities = Es gibt noch keine Aktivität, die beginnen könnte.
run-missing-both = Es gibt noch keinen Raum und keine Aktivität. Ohne sie kann nichts beginnen.
run-missing-go = Zur Seite „Räume“
run-missing-ask = Bitte wenden Sie sich an die Leitung; sie legt beides an.
run-end = Beenden
run-end-title = „{ $activity }“ beenden?
run-end-text = { $n ->
    [0] Niemand ist eingecheckt. Sie können es fünf Minuten lang wieder öffnen.
    [one] Eine Person wird ausgecheckt. Sie können es fünf Minuten lang wieder öffnen.
   *[other] { $n } Personen werden ausgecheckt. Sie können es fünf Minuten lang wieder öffnen.
  }
run-ended = Um { $time } beendet
run-ended-toast = { $room } beendet, { $n } ausgecheckt
run-reopen = Wieder öffnen
run-lists = Listen dieses Angebots
run-here = Hier
run-expected = Erwartet
run-left = Gerade gegangen
run-here-none = Noch niemand hier. Tippen Sie unter „Erwartet“ auf einen Namen, oder eine Karte wird an das Lesegerät gehalten.
run-here-over = Niemand ist mehr hier.
run-expected-none = Sonst wird niemand erwartet.
run-left-none = Niemand ist gegangen.
runs-alone = Ohne Aufsicht
runs-alone-none = { $n ->
    [0] Gerade läuft nichts.
   *[other] Alles, was läuft, hat eine Aufsicht.
  }
act-here = Auschecken
act-expected = Einchecken
act-left = Wieder da
act-undo = Zurücknehmen
since = seit { $time }
with-staff = mit { $names }
left-at = gegangen { $time }
reason-transferred = in anderen Raum
reason-run_ended = Angebot beendet
reason-day_closed = Tag beendet
expected = Erwartet
filter-names = Nach Namen filtern
filter-status = Nur zeigen
checked-in = { $name } ist jetzt hier: { $room }
checked-out = { $name } ausgecheckt
announce-run = { $came } gekommen, { $went } gegangen
bring-in = Jemanden holen
bring-in-label = Wen?
bring-in-hint = Alle, die im Haus sind; mindestens zwei Buchstaben.
bring-into = Einchecken: { $room }
hand-over = Übergeben
hand-over-title = { $what } übergeben
hand-over-from = Von
hand-over-to = An
hand-over-kind = Für wie lange
hand-over-hand-over = Ganz: ich bin nicht mehr zuständig
hand-over-decided = Ganz: wer bisher zuständig war, ist es nicht mehr
hand-over-substitution = Für eine Weile: als Vertretung
handed-over = { $what } ist jetzt bei { $name }
offers = Offene Übergaben
offer-run = { $activity }, { $room }
offer-to-you-hand-over = { $name } möchte Ihnen übergeben: { $what }
offer-to-you-substitution = { $name } bittet Sie um Vertretung bis { $time }: { $what }
offer-until-yes = Bis Sie zusagen, bleibt { $name } zuständig.
offer-by-you-hand-over = { $name } ist gefragt: { $what }
offer-by-you-substitution = { $name } ist um Vertretung bis { $time } gebeten: { $what }
offer-stays = Bis zur Zusage bleiben Sie zuständig.
offer-accept = Übernehmen
offer-decline = Ablehnen
offer-withdraw = Zurückziehen
offer-accept-toast = Jetzt bei Ihnen: { $what }
offer-decline-toast = Abgelehnt, { $name } bleibt zuständig: { $what }
offer-withdraw-toast = Zurückgezogen: { $what }
offer-hint = Sie bleiben zuständig, bis die andere Person zusagt.
offer-ask = Fragen
offer-made = { $name } ist gefragt: { $what }. Bis zur Zusage bleiben Sie zuständig.
offer-heard = { $name } möchte Ihnen eine Aufsicht übergeben.
offer-show = Ansehen
offer-told-accepted = { $name } hat übernommen.
offer-told-declined = { $name } hat abgelehnt. Sie bleiben zuständig.

# Gruppe
group-empty = Zu dieser Gruppe gehört noch niemand.
group-expected = Noch nicht da
group-on_the_way = Unterwegs
group-here = Hier
group-absent = Fehlt
group-left = Gegangen
in-a-room = in einem Raum
absent-excused = entschuldigt
absent-unreported = nicht gemeldet
expected-detail = noch nicht angekommen
reason = Grund
reason-hint = Freiwillig. Nur Zuständige sehen ihn, nach 30 Tagen wird er gelöscht.
marked = { $name }: { $status }
mark-present = anwesend
mark-left = gegangen
mark-excused = entschuldigt
mark-unreported = nicht gemeldet
mark-expected = erwartet
mark-as-present = Ist da
mark-as-left = Ist gegangen
mark-as-excused = Ist entschuldigt
mark-as-unreported = Fehlt, nicht gemeldet
mark-as-expected = Wird doch erwartet

# Hilfe-Liste
help-empty = Niemand wartet.
help-empty-hint = Neue Bitten erscheinen hier mit einem Ton.
help-empty-muted = Neue Bitten erscheinen hier. Der Ton ist aus.
help-office = Das Büro sieht die Zahlen der Liste, nicht die Bitten.
waiting = Warten
waits = wartet
being-helped = Hilfe ist da
help-today = { $n } Mal heute geholfen · mittlere Wartezeit { $wait }
help-keys = J / K bewegt, H hilft, D erledigt
help-done-head = Eben erledigt
help-claim = Ich helfe
help-release = Zurücklegen
help-hold = Anhalten
help-resolve = Erledigt
help-claim-toast = Sie helfen: { $name }
help-release-toast = { $name } wartet wieder
help-hold-toast = { $name } ist angehalten und kommt zuerst dran
help-resolve-toast = { $name } als erledigt markiert
help-reopen-toast = Sie helfen: { $name }
help-resolve-title = Fertig mit { $name }?
help-response = Antwort
help-response-hint = Freiwillig. { $profile ->
    [clinic] Der Patient
   *[other] Das Kind
  } liest sie.
with-you = bei Ihnen
with-name = bei { $name }
on-hold = angehalten
on-hold-head = Angehalten
no-message = Keine Nachricht
urgent = Dringend
sound-on = Ton an
sound-off = Ton aus
sound-quiet = Ruhe bis { $time }
help-open = Warten
help-longest = Längste Wartezeit
help-median = Mittlere Wartezeit

# Mein Platz
where-room = Du bist hier: { $room }
where-present = Du bist im Haus
where-absent = Du bist nicht im Haus
ask-title = Brauchst du Hilfe?
ask-label = Worum geht es?
ask-hint = Du kannst das auch leer lassen.
ask-urgent = Es ist dringend
ask-urgent-short = Dringend
ask-help = Ich brauche Hilfe
ask-again = Ich brauche wieder Hilfe
ask-queue-none = Niemand wartet vor dir.
ask-queue = { $n ->
    [one] Eine Person wartet vor dir.
   *[other] { $n } warten vor dir.
  }
ask-usual = Meistens etwa { $n } min.
ask-edit = Ändern
ask-cancel = Nicht mehr nötig
ask-cancel-title = Deine Bitte zurückziehen?
ask-keep = Behalten
ask-cancel-text = Du verlierst deinen Platz in der Reihe.
ask-cancelled = Deine Bitte ist zurückgezogen.
somebody-comes = Es kommt jemand zu dir
someone-comes = { $name } kommt zu dir
someone-comes-hint = Bleib, wo du bist.
place-in-line = { $n ->
    [1] Du bist als Nächstes dran
   *[other] Du bist Nummer { $n }
  }
place-on-hold = Einen Moment, gleich bist du wieder vorn
place-wait = Wir haben deine Bitte bekommen. Du wartest seit { $wait } { $hours ->
    [0] min
   *[other] h
  }.
place-done = Erledigt
place-expired = Der Tag ist vorbei, deine Bitte ist abgelaufen.

# Probleme
problem-network = Keine Verbindung zum Haus.
problem-no-answer = Keine Antwort vom Haus. Vielleicht ist es trotzdem geschehen.
problem-unknown = Das hat nicht geklappt. Es wurde nichts geändert.
problem-changed = Das hat sich inzwischen geändert. Bitte noch einmal ansehen.
problem-request-invalid = Eine Angabe stimmt nicht. Bitte prüfen.
problem-request-invalid-content = Das ist zu lang.
problem-request-invalid-new = Dieses Passwort ist leicht zu erraten. Nehmen Sie mindestens acht Zeichen, nicht den Benutzernamen und nicht den Namen des Hauses.
problem-request-invalid-pin = Vier bis acht Ziffern, und keine Reihe wie 1234 oder 1111.
problem-page = Diese Seite hat ein Problem.
problem-busy = Das Haus ist gerade beschäftigt. Bitte gleich nochmal versuchen.
problem-not-found = Das gibt es hier nicht, oder es ist nicht für Sie bestimmt.
problem-forbidden = Das dürfen Sie nicht.
problem-visit-room-full = Der Raum ist voll.
problem-visit-run-ended = Das ist schon beendet. Beginnen Sie neu, oder wählen Sie ein anderes.
problem-visit-undo-too-late = Mehr als fünf Minuten her: es lässt sich nicht mehr rückgängig machen.
problem-help-already-open = Du hast schon gefragt. Wir sind unterwegs.
problem-help-already-claimed = { $name } hilft schon.
problem-room-full = Der Raum ist voll.
problem-run-room-taken = In diesem Raum läuft schon etwas.
problem-run-not-own = Das dürfen nur die Zuständigen.
problem-run-reopen-too-late = Mehr als fünf Minuten her: es lässt sich nicht wieder öffnen.
problem-visit-already-in = Ist schon hier.
problem-visit-elsewhere = Ist schon in einem anderen Raum.
problem-visit-not-present = Ist noch nicht im Haus.
problem-help-closed = Diese Bitte ist schon erledigt.
problem-help-not-claimed = Diese Bitte hat niemand übernommen.
problem-password-own = Ihr eigenes Passwort ändern Sie auf der Seite „Mein Konto“.
problem-password-wrong = Das jetzige Passwort stimmt nicht.
problem-badge-taken = Diese Karte gehört schon jemandem.
problem-account-username-taken = Dieser Benutzername ist vergeben.
problem-login-too-many = Zu viele Versuche. Bitte warten Sie eine Minute.
