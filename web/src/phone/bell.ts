/** The bell of the page's telephone: two short tones every three seconds, made, not played. */
const EVERY_MS = 3000
const LENGTH_S = 0.4
const FREQUENCIES_HZ = [660, 880]
const LOUDNESS = 0.15

/** Rings until the returned function is called. A browser without sound rings in silence. */
export function ring(): () => void {
  let context: AudioContext
  try {
    context = new AudioContext()
  } catch {
    return () => undefined
  }
  const strike = (): void => {
    FREQUENCIES_HZ.forEach((hertz, at) => {
      const begin = context.currentTime + at * LENGTH_S
      const tone = new OscillatorNode(context, { frequency: hertz })
      tone.connect(new GainNode(context, { gain: LOUDNESS })).connect(context.destination)
      tone.start(begin)
      tone.stop(begin + LENGTH_S)
    })
  }
  strike()
  const timer = window.setInterval(strike, EVERY_MS)
  return () => {
    window.clearInterval(timer)
    void context.close()
  }
}
