/** Whether this page may have a microphone; it is let go again at once and taken for each call. */
import type { MicrophoneTrouble } from './state'

/** Null where there is one to use. May show the browser's own question. */
export async function askForMicrophone(): Promise<MicrophoneTrouble | null> {
  if (!navigator.mediaDevices) return 'insecure'
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true })
    for (const track of stream.getTracks()) track.stop()
    return null
  } catch (error) {
    return troubleOf(error)
  }
}

/** Whether it was allowed before, so that nothing need be asked. */
export async function isMicrophoneAllowed(): Promise<boolean> {
  try {
    const permission = await navigator.permissions.query({ name: 'microphone' as PermissionName })
    return permission.state === 'granted'
  } catch {
    return false
  }
}

export function troubleOf(error: unknown): MicrophoneTrouble {
  const name = error instanceof Error || error instanceof DOMException ? error.name : ''
  return name === 'NotAllowedError' || name === 'SecurityError' ? 'denied' : 'missing'
}
