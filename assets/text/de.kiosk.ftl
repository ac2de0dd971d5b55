# Was ein Tablet an der Tür sagt. Kinder mit du, Mitarbeitende mit Sie; die Begrüßung kommt vom Haus.
kiosk-hold = Karte hier anhalten
kiosk-or = Keine Karte dabei?
kiosk-type = Nummer eingeben
kiosk-now = Jetzt: { $activity }
kiosk-filled = { $count } von { $capacity } Plätzen belegt
kiosk-language-other = English
kiosk-up = Verbunden
kiosk-down = Keine Verbindung seit { $time }
kiosk-shut-out = Kein Zugang
kiosk-waiting = { $n ->
    [one] 1 Karte auf diesem Tablet gespeichert
   *[other] { $n } Karten auf diesem Tablet gespeichert
}
kiosk-refused = { $n ->
    [one] 1 Karte wurde nicht angenommen. Bitte im Büro melden.
   *[other] { $n } Karten wurden nicht angenommen. Bitte im Büro melden.
}
kiosk-saved = Auf diesem Tablet gespeichert.
kiosk-saved-later = Wir geben es weiter, sobald das Netz wieder da ist.
kiosk-saved-office = Bitte sag im Büro Bescheid.
kiosk-not-kept = Diese Karte ließ sich nicht speichern.
kiosk-not-kept-hint = Bitte melde dich bei einer Betreuungsperson.
kiosk-full = Dieses Tablet kann keine Karte mehr speichern.
kiosk-room-left = { $n ->
    [one] Nur noch Platz für 1 Karte. Bitte im Büro melden.
   *[other] Nur noch Platz für { $n } Karten. Bitte im Büro melden.
}
kiosk-no-room = Kein Platz mehr für weitere Karten. Bitte im Büro melden.
kiosk-not-taken = Diese Karte wurde nicht angenommen.
kiosk-not-counted = Diese Karte wurde nicht gezählt.
kiosk-not-counted-hint = Bitte noch einmal anhalten.
kiosk-number = Nummer deiner Karte
kiosk-pad = Tasten
kiosk-delete = Letzte löschen
kiosk-back = Zurück
kiosk-go = Fertig
kiosk-next = Weiter
kiosk-here = Hier bin ich.
kiosk-office = Bitte im Büro melden
kiosk-office-hint = Dieses Tablet hat keinen Zugang zum Haus mehr. Es speichert weiter jede Karte, keine geht verloren.
kiosk-enrol-anew = Neu verbinden
kiosk-enrol = Dieses Tablet verbinden
kiosk-enrol-hint = Den Code macht die Leitung auf der Seite „Geräte“. Er gilt einmal, 15 Minuten lang.
kiosk-code = Anmeldecode
kiosk-enrol-go = Verbinden
kiosk-device-enroll-code-wrong = Diesen Code kennen wir nicht. Bitte vergleichen Sie ihn mit der Seite „Geräte“.
kiosk-device-enroll-code-used = Dieser Code ist schon verwendet. Bitte machen Sie einen neuen.
kiosk-device-enroll-code-expired = Dieser Code ist abgelaufen. Bitte machen Sie einen neuen.
kiosk-no-memory = Dieser Browser behält nichts
kiosk-no-memory-hint = Ein Kiosk muss Karten behalten, wenn das Netz weg ist. Bitte öffnen Sie die Seite in einem Fenster, das nicht privat ist.
kiosk-staff = Team
kiosk-what = Was möchten Sie tun?
kiosk-start = Was beginnt hier?
kiosk-nothing = Es gibt noch keine Aktivität. Die Leitung legt sie auf der Seite Räume an.
kiosk-since = { $activity }, seit { $time }
kiosk-end = { $activity } beenden
kiosk-take-over = { $activity } übernehmen
kiosk-who = Halten Sie Ihre Karte an, oder geben Sie Ihren Benutzernamen ein.
kiosk-username = Benutzername
kiosk-pin = Ihre PIN
kiosk-started = { $activity } hat begonnen.
kiosk-taken-over = Sie sind jetzt zuständig: { $activity }.
kiosk-ended = { $activity } ist beendet.
kiosk-ended-undo = { $n ->
    [0] Niemand war hier. Bis { $time } lässt es sich wieder öffnen.
    [one] 1 Person ist damit gegangen. Bis { $time } lässt es sich wieder öffnen.
   *[other] { $n } Personen sind damit gegangen. Bis { $time } lässt es sich wieder öffnen.
}
kiosk-pin-wrong = Person und PIN gehören nicht zusammen. Ihre PIN legen Sie auf der Seite Mein Konto fest.
kiosk-pin-locked = Zu viele Versuche. Diese PIN ist für 15 Minuten gesperrt.
kiosk-access-role = Beginnen und beenden kann hier nur, wer betreut.
kiosk-run-not-own = Das beenden nur die, die zuständig sind.
kiosk-run-room-taken = In diesem Raum läuft schon etwas.
kiosk-run-ended = Das ist schon zu Ende.
kiosk-not-found = Das gibt es nicht mehr. Bitte wählen Sie neu.
kiosk-supervision-held = Dafür ist schon jemand zuständig.
kiosk-request-invalid = Das ist weder eine Karte noch ein Benutzername. Bitte noch einmal.
kiosk-no-answer = Das Haus antwortet nicht. Bitte gleich noch einmal.
kiosk-busy = Das Haus ist beschäftigt. Bitte gleich noch einmal.
kiosk-failed = Das hat nicht geklappt. Nichts wurde geändert.
