// Short tones, made and not loaded. A browser lets them sound after the first touch or key;
// the sign on the screen is there in any case.

const NOTES = {
  help: [660, 880], urgent: [880, 660, 880],
  ok: [784, 1175], warn: [587, 587], error: [330, 220], identify: [880, 0, 880, 0, 880],
};
const NOTE_S = 0.16;

let context = null;

/** Plays `name`; silence is no error. */
export function tone(name) {
  try {
    context ??= new AudioContext();
    if (context.state === "suspended") context.resume();
    NOTES[name].forEach((hertz, place) => hertz > 0 && note(hertz, context.currentTime + place * NOTE_S));
  } catch { /* no sound on this device: the row and the title still say it */ }
}

function note(hertz, at) {
  const oscillator = context.createOscillator();
  const volume = context.createGain();
  oscillator.frequency.value = hertz;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.2, at + 0.02);
  volume.gain.linearRampToValueAtTime(0, at + NOTE_S);
  oscillator.connect(volume).connect(context.destination);
  oscillator.start(at);
  oscillator.stop(at + NOTE_S);
}
