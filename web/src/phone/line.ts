/**
 * SIP of the page's telephone: registers, rings, talks. A thin edge over JsSIP, loaded only where an
 * agent's phone is the page; decides nothing and shows nothing.
 *
 * JsSIP comes back by itself when the line is lost, waiting longer each time. Speech goes straight
 * between browser and Asterisk, so a conversation outlives the line.
 */
import { UA, WebSocketInterface } from 'jssip'
import type { RTCSession } from 'jssip/lib/RTCSession'

import type { PhoneEvent } from './state'

export interface Account {
  extension: string
  password: string
}

export interface PhoneLine {
  answer(): void
  dial(number: string): void
  hangUp(): void
  press(tones: string): void
  mute(isMuted: boolean): void
  renew(): void
  stop(): void
}

/** The server's close codes (server/http/phone_routes.py). */
const TAKEN_OVER = 4001
const SIGNED_OUT = 1008

const DOMAIN = 'hotline.invalid'
const REGISTER_EVERY_S = 120
const LEAST_WAIT_S = 1
const MOST_WAIT_S = 15
/** Addresses of this machine are found at once; a dead interface must not delay an answer. */
const GATHER_MS = 300
const BUSY = 486

const MEDIA = {
  mediaConstraints: {
    audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    video: false,
  },
  pcConfig: { iceServers: [] },
}

/** A websocket that can be told not to come back, without ending what goes on. */
class Line extends WebSocketInterface {
  isGivenUp = false

  override connect(): void {
    if (!this.isGivenUp) super.connect()
  }

  /** As if the network had ended it. */
  drop(): void {
    super.disconnect()
    this.ondisconnect(true)
  }
}

export function openLine(account: Account, tell: (event: PhoneEvent) => void): PhoneLine {
  return new SipLine(account, tell)
}

class SipLine implements PhoneLine {
  private readonly socket: Line
  private readonly ua: UA
  private readonly speaker = new Audio()
  private session: RTCSession | null = null
  private wasLost = false

  constructor(
    account: Account,
    private readonly tell: (event: PhoneEvent) => void,
  ) {
    this.speaker.autoplay = true
    this.socket = new Line(lineUrl())
    this.ua = new UA({
      sockets: this.socket,
      uri: `sip:${account.extension}@${DOMAIN}`,
      password: account.password,
      register_expires: REGISTER_EVERY_S,
      connection_recovery_min_interval: LEAST_WAIT_S,
      connection_recovery_max_interval: MOST_WAIT_S,
      session_timers: false,
      user_agent: 'hotline12345 page',
    })
    this.ua.on('connecting', () => tell({ kind: 'line', line: 'connecting' }))
    this.ua.on('registered', () => this.up())
    this.ua.on('registrationFailed', ({ response }) => {
      if (response) this.giveUp('refused')
    })
    this.ua.on('disconnected', ({ code }) => this.lost(code))
    this.ua.on('newRTCSession', ({ session }: { session: RTCSession }) => this.begin(session))
    this.ua.start()
  }

  answer(): void {
    const session = this.session
    if (session === null || session.direction !== 'incoming' || !session.isInProgress()) return
    this.tell({ kind: 'answering', id: session.id })
    session.answer(MEDIA)
  }

  dial(number: string): void {
    if (this.session === null) this.ua.call(`sip:${number}@${DOMAIN}`, MEDIA)
  }

  hangUp(): void {
    if (this.session !== null && !this.session.isEnded()) this.session.terminate()
  }

  /** As the keys of a telephone: in the speech itself (RFC 4733), with the product dead too. */
  press(tones: string): void {
    const sender = this.session?.connection.getSenders().find((each) => each.dtmf)?.dtmf
    sender?.insertDTMF(tones, 120, 80)
  }

  mute(isMuted: boolean): void {
    if (isMuted) this.session?.mute({ audio: true })
    else this.session?.unmute({ audio: true })
  }

  /** A line over a network that was away looks alive for minutes: another is made. */
  renew(): void {
    const mayRing = this.session?.isInProgress() ?? false
    if (!mayRing && this.ua.isRegistered()) this.socket.drop()
  }

  stop(): void {
    this.socket.isGivenUp = true
    this.ua.stop()
  }

  /** Back in a conversation: Asterisk is told the new way to us, or tells that all is over. */
  private up(): void {
    this.tell({ kind: 'line', line: 'registered' })
    if (this.wasLost && this.session?.isEstablished()) this.session.renegotiate()
    this.wasLost = false
  }

  private lost(code: number | undefined): void {
    if (this.socket.isGivenUp) return
    this.wasLost = true
    // What only rang has gone to the next agent: nobody could answer it here any more.
    if (this.session?.isInProgress()) this.session.terminate()
    if (code === TAKEN_OVER) this.giveUp('taken')
    else if (code === SIGNED_OUT) this.giveUp('refused')
    else this.tell({ kind: 'line', line: 'lost' })
  }

  /** Not again by itself; a conversation goes on to its end. */
  private giveUp(line: 'taken' | 'refused'): void {
    this.socket.isGivenUp = true
    this.tell({ kind: 'line', line })
    if (this.session === null) this.ua.stop()
  }

  private begin(session: RTCSession): void {
    const isIncoming = session.direction === 'incoming'
    if (this.session !== null) {
      if (isIncoming) session.terminate({ status_code: BUSY })
      return
    }
    this.session = session
    const { id } = session
    this.tell({
      kind: 'begins',
      id,
      number: session.remote_identity.uri.user ?? '',
      step: isIncoming ? 'ringing' : 'dialling',
    })
    session.on('peerconnection', ({ peerconnection }) => this.listen(session, peerconnection))
    if (!isIncoming) this.listen(session, session.connection)
    let gathering: number | undefined
    session.on('icecandidate', ({ ready }) => {
      gathering ??= window.setTimeout(ready, GATHER_MS)
    })
    session.on('getusermediafailed', () => this.tell({ kind: 'no_microphone', trouble: 'denied' }))
    session.on('confirmed', () => this.tell({ kind: 'talks', id }))
    session.on('muted', () => this.tell({ kind: 'muted', id, isMuted: true }))
    session.on('unmuted', () => this.tell({ kind: 'muted', id, isMuted: false }))
    session.on('ended', () => this.end(session))
    session.on('failed', () => this.end(session))
  }

  private listen(session: RTCSession, connection: RTCPeerConnection): void {
    connection.addEventListener('track', ({ streams, track }) => {
      this.speaker.srcObject = streams[0] ?? new MediaStream([track])
    })
    connection.addEventListener('iceconnectionstatechange', () => {
      // The other end is gone for good, whatever became of its farewell.
      if (connection.iceConnectionState === 'failed' && !session.isEnded()) session.terminate()
    })
  }

  private end(session: RTCSession): void {
    if (this.session !== session) return
    this.session = null
    this.speaker.srcObject = null
    this.tell({ kind: 'ends', id: session.id })
    if (this.socket.isGivenUp) this.ua.stop()
  }
}

function lineUrl(): string {
  const url = new URL('sip', document.baseURI)
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
  url.hash = ''
  return url.href
}
