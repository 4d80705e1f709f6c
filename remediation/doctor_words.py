"""What a finding of the doctor's means, in words for the terminal: what was seen, who can act, and what to do.

By check and `why`; `*` stands for every check. Next door: `doctor_commands`, which prints them.
"""

from dataclasses import dataclass

from .domain.finding import Finding

NOBODY = ""
ENTRA = "Entra administrator"
INTUNE = "Intune administrator"
ACCESS = "Conditional Access administrator"
MDM = "MDM's administrator"
OPERATOR = "whoever runs this product"
SECURITY = "security officer"
TIME = "time"


@dataclass(frozen=True)
class Words:
    seen: str
    who: str = NOBODY
    do: str = ""


CONSENT = "Grant and consent to it as application permission of the service app, then run this again."
SLOT = "Tenant administration, Connectors and tokens, Partner compliance management; remediation partner show."
PROVISION = "remediation partner provision"
PILOT = "remediation pilot start --connection NAME --record NUMBER, with a device that got through."
RULE = "remediation lock rule shows the one to paste."
WORDS: dict[tuple[str, str], Words] = {
    ("settings", "read"): Words("The worker's settings are whole."),
    ("database", "not_ready"): Words("{said}", OPERATOR, "Nothing else was looked at."),
    ("database", "not_writable"): Words(
        "It takes no row, so nothing else was looked at.", OPERATOR, "Disk full, rights of the file, a read-only replica?"
    ),
    ("database", "writable"): Words("It is of this version, and takes a row."),
    ("*", "unreadable"): Words(
        "No certificate can be read in {file}.", OPERATOR, "Put the PEM file there, readable for the worker."
    ),
    ("*", "ended"): Words("{file} has run out, at {ends}.", OPERATOR, "Have a new one issued, and rename it into place."),
    ("*", "ends_soon"): Words("{file} runs out at {ends}.", OPERATOR, "Have a new one issued now, and rename it into place."),
    ("*", "in_force"): Words("{file} is in force until {ends}."),
    ("token", "given"): Words("Entra gives the service app a token."),
    ("token", "refused"): Words(
        "Entra refuses the service app a token ({code}).",
        ENTRA,
        "Compare tenant, client id and secret or certificate with the app registration; admin consent must be given.",
    ),
    ("permissions", "right"): Words("The token has the permissions that are needed, and no others."),
    ("permissions", "not_told"): Words(
        "The token does not show its permissions.", ENTRA, "Compare them with docs/operating.md in the app registration."
    ),
    ("permissions", "missing"): Words("The token lacks {permissions}.", ENTRA, CONSENT),
    ("permissions", "too_many"): Words(
        "The token may do more than this product needs: {permissions}.", ENTRA, "Take these away from the service app."
    ),
    ("permissions", "without"): Words("Optional, and not there: {permission}. Without it {lost}.", ENTRA, CONSENT),
    ("credential", "lasts"): Words("It lasts until {ends} (by {by})."),
    ("credential", "nearly_over"): Words(
        "It ends at {ends} (by {by}).", ENTRA, "Make another one, and give it to this product: /onboarding/credential."
    ),
    ("credential", "over"): Words(
        "It ended at {ends} (by {by}).", ENTRA, "Make another one, and give it to this product: /onboarding/credential."
    ),
    ("credential", "not_known"): Words(
        "Nobody knows when it ends.",
        ENTRA,
        "Grant Application.Read.All; or set SERVICE_SECRET_ENDS and SIGN_IN_SECRET_ENDS; or use a certificate.",
    ),
    ("credential", "not_told"): Words(
        "The directory does not tell when it ends ({code}).", TIME, "Run this again in some minutes."
    ),
    ("directory", "answers"): Words("Graph takes the question and has nobody of that id, as it should."),
    ("directory", "refused"): Words("Graph refuses the question ({code}).", ENTRA, CONSENT),
    ("partner", "answers"): Words("Intune's partner service was found, and takes our questions."),
    ("partner", "not_set_up"): Words(
        "This tenant has no partner compliance service: Intune is not set up there, or not licensed.", INTUNE, "Set Intune up."
    ),
    ("*", "no_consent"): Words(
        "The service app may do nothing there: its consent was withdrawn, or the app was deleted or disabled ({code}).",
        ENTRA,
        "Grant admin consent again; everything goes on by itself within 15 minutes.",
    ),
    ("partner", "refused"): Words(
        "Intune's partner service is not to be had ({code}: {said}).",
        INTUNE,
        "Is Intune set up, the app a compliance partner with update_device_attributes, and the host among PARTNER_HOSTS?",
    ),
    ("partner_slot", "ours"): Words("Intune lists us as its compliance partner, {word}."),
    ("partner_slot", "whose"): Words(
        "Intune lists {holder} as its compliance partner ({word}); whether that is us was not told.",
        OPERATOR,
        "Set REMEDIATION_PARTNER_NAME to the name under which Intune lists this service.",
    ),
    ("partner_slot", "taken"): Words(
        "Intune lists {holder} as its compliance partner ({word}), and takes only that vendor's word.", INTUNE, SLOT
    ),
    ("partner_slot", "missing"): Words("Intune lists nobody as its compliance partner.", INTUNE, SLOT),
    ("partner_slot", "not_enabled"): Words("Intune lists us as its compliance partner, but {word}.", INTUNE, SLOT),
    ("partner_slot", "vendor"): Words(
        "Intune lists {holder} as its compliance partner, {word}; is that the maker of {connection}?"
    ),
    ("partner_slot", "vendor_not_enabled"): Words("Intune lists {holder} as its compliance partner, but {word}.", INTUNE, SLOT),
    ("partner_slot", "not_readable"): Words(
        "Intune's list of compliance partners cannot be read ({code}).",
        ENTRA,
        "For it: DeviceManagementServiceConfig.Read.All. Or look in Intune yourself.",
    ),
    ("partner_groups", "same"): Words("Intune gave us those whom we serve ({count} groups chosen)."),
    ("partner_groups", "differ"): Words(
        "Intune gave us others than those whom we serve. Only in Intune: {there}. Only here: {here}.",
        INTUNE,
        "Choose the same groups there as here (remediation scope show).",
    ),
    ("partner_groups", "unreadable"): Words(
        "Whom Intune gave us is told in a form that we do not know.",
        INTUNE,
        "Compare the groups there with `remediation scope show`.",
    ),
    ("partner_addresses", "told"): Words("Microsoft took them at {at}; enrollment leads to {enrollment}."),
    ("partner_addresses", "never_told"): Words(
        "Nobody told Microsoft from here where its buttons should lead, and it does not say what it knows.", OPERATOR, PROVISION
    ),
    ("partner_addresses", "deprovisioned"): Words("Taken back at {at} by {by}: Microsoft takes no verdict.", OPERATOR, PROVISION),
    ("partner_addresses", "leaving"): Words(
        "Devices are being taken down since {since}: we are to be its partner no longer.",
        OPERATOR,
        "remediation partner deprovision goes on with it; " + PROVISION + " takes it back.",
    ),
    ("partner_addresses", "differ"): Words("Microsoft was told others: enrollment leads to {enrollment}.", OPERATOR, PROVISION),
    ("partner_addresses", "other_groups"): Words(
        "Microsoft took the addresses, and its policies are not assigned to those whom we serve.", OPERATOR, PROVISION
    ),
    ("heartbeat", "fresh"): Words("Microsoft took the last one {ago} ago."),
    ("heartbeat", "none_yet"): Words("None was made yet.", OPERATOR, "Start `remediation work`."),
    ("heartbeat", "rests"): Words("None is made any more; the last one was taken {ago} ago.", OPERATOR, PROVISION),
    ("heartbeat", "old"): Words("The last one was taken {ago} ago.", OPERATOR, "Does `remediation work` run? See its log."),
    ("heartbeat", "failing"): Words(
        "Microsoft takes none ({code}), for {ago}. It may come to call us unresponsive, and devices not compliant.",
        INTUNE,
        "See the partner service and the permissions above.",
    ),
    ("channel", "intune_partner"): Words("For {platforms} we tell Intune, as compliance partner."),
    ("channel", "graph_device"): Words(
        "For {platforms} we tell Microsoft Graph. Whether it takes that from this app, only a device shows: try a pilot."
    ),
    ("channel", "mdm_relay"): Words(
        "For {platforms} the maker of {connection} tells Microsoft, every {minutes} minutes. We guide and watch; we can neither "
        "hold back, limit in time nor take away what it tells."
    ),
    ("channel", "none"): Words(
        "No channel serves any platform.", ENTRA, "Choose with REMEDIATION_CHANNEL_IOS and the like; docs/channels.md helps."
    ),
    ("mdm", "read"): Words("It takes our credential; one page of its list has {count} devices."),
    ("mdm", "empty"): Words(
        "It takes our credential and lists no device.", MDM, "Has our account the right organization group and role?"
    ),
    ("mdm", "unreadable"): Words("{count} devices of its list cannot be read.", OPERATOR, "Report this with the worker's log."),
    ("mdm", "no_list"): Words("It gives no list to ask for.", NOBODY, "Look at `remediation stuck`."),
    ("mdm", "refused"): Words("It refuses our account ({code}).", MDM, "Compare address, credential and the account's role."),
    ("messages", "proven"): Words("A message of it was seen to arrive at {at}: possession is on."),
    ("messages", "never_tried"): Words(
        "No message of it was seen to arrive, so possession is off.",
        OPERATOR,
        "remediation doctor possession --connection {about} --record NUMBER",
    ),
    ("messages", "impossible"): Words(
        "This MDM has no message to a device: possession is off for it, and no test can switch it on.",
        SECURITY,
        "Through it devices are linked at the minimum `fresh` only; docs/security.md says what that leaves open.",
    ),
    ("messages", "not_sent"): Words(
        "The MDM did not take the test message, so possession is off.",
        MDM,
        "May our account send messages, and does the device have the MDM's app? Then send another one.",
    ),
    ("messages", "waiting"): Words(
        "{by} sent a test message; nobody has tapped it yet, so possession is off.", OPERATOR, "Tap it on the device."
    ),
    ("messages", "not_seen"): Words(
        "The last test message was not tapped in time, so possession is off.",
        OPERATOR,
        "Did it arrive, and did its link open? remediation doctor possession --connection {about} --record NUMBER",
    ),
    ("sign_in_log", "readable"): Words("It can be read: for `bound` it counts beside the claim."),
    ("sign_in_log", "not_readable"): Words(
        "It cannot be read ({code}): for `bound` only the claim counts. Below `bound` it is not needed.",
        ENTRA,
        "For it: AuditLog.Read.All, and Entra ID P1.",
    ),
    ("sign_in_log", "refused"): Words("It is refused ({code}).", ENTRA, CONSENT),
    ("evidence", "unproven"): Words(
        "`{minimum}` cannot be reached through {connections}: it rests on possession, which is off.",
        OPERATOR,
        "remediation doctor possession, as above",
    ),
    ("evidence", "no_messages"): Words(
        "`{minimum}` cannot be reached through {connections}: it rests on a message to the device, and none can be sent there.",
        SECURITY,
        "Devices there are linked by nobody, unless the minimum is `fresh` (docs/security.md).",
    ),
    ("evidence", "by_fresh"): Words(
        "Through {connections} no message shows which device is in the hand: links rest on a new registration alone.",
        SECURITY,
        "docs/security.md says what that leaves open.",
    ),
    ("evidence", "no_certificates"): Words(
        "`{minimum}` needs the settings CERTIFICATE_….", SECURITY, "docs/security.md has the setup."
    ),
    ("evidence", "by_log"): Words("`{minimum}` can be reached: by the claim, or by the sign-in log."),
    ("evidence", "by_claim"): Words(
        "`{minimum}` rests on Entra's deviceid claim, which only a sign-in on a device shows.",
        SECURITY,
        "Try a pilot device of each platform (docs/security.md).",
    ),
    ("evidence", "reachable"): Words("`{minimum}` can be reached through every connection."),
    ("policy", "which_app"): Words(
        "Which app people sign in with is the web's setting, and was not told.",
        OPERATOR,
        "--sign-in-app CLIENT_ID; or look yourself: every policy that requires a compliant device must exclude it.",
    ),
    ("policy", "not_readable"): Words(
        "The policies cannot be read ({code}).",
        ACCESS,
        "Look yourself: every policy that requires a compliant device must exclude the sign-in app. Or grant Policy.Read.All.",
    ),
    ("policy", "caught"): Words(
        "People who are blocked cannot sign in here: these ask our sign-in app for a compliant device: {policies}.",
        ACCESS,
        "Exclude the sign-in app there (Target resources, Exclude).",
    ),
    ("policy", "unclear"): Words(
        "Which apps these mean is told by a filter: {policies}.", ACCESS, "See that the sign-in app is not among them."
    ),
    ("policy", "excluded"): Words("None of {count} policies asks our sign-in app for a compliant device."),
    ("temporary_access", "not_readable"): Words(
        "The policies cannot be read ({code}).",
        ACCESS,
        "Look yourself: only policies that require a compliant device may leave the group out. Or grant Policy.Read.All.",
    ),
    ("temporary_access", "still_asked"): Words(
        "Temporary access opens nothing: these ask its group for a compliant device: {policies}.",
        ACCESS,
        "Exclude the group there (Users, Exclude).",
    ),
    ("temporary_access", "left_out_elsewhere"): Words(
        "Temporary access opens more than it should: these leave its group out, and do not ask for a device: {policies}.",
        ACCESS,
        "Take the group out of their exclusions.",
    ),
    ("temporary_access", "left_out"): Words("Its group is left out of the policies about devices, and of no other."),
    ("temporary_access", "answers"): Words("Microsoft tells us of memberships with an end."),
    ("pilot", "proven"): Words(
        "Proven by a pilot device through {channel}: compliant, not compliant, compliant, seen in Entra by {at}."
    ),
    ("pilot", "running"): Words(
        "A pilot device is under way through {channel}; it is waited for: {step}.", TIME, "remediation pilot show"
    ),
    ("pilot", "never"): Words("No pilot device proved {channel} yet.", OPERATOR, PILOT),
    ("pilot", "other_channel"): Words("A pilot device proved another channel, and {channel} serves by now.", OPERATOR, PILOT),
    ("pilot", "not_seen_compliant"): Words(
        "The last pilot device was never seen compliant in Entra through {channel}.",
        OPERATOR,
        "Is it compliant in the MDM? `remediation stuck` says what holds its news up. Then try again.",
    ),
    ("pilot", "not_seen_not_compliant"): Words(
        "The last pilot device was never seen to turn not compliant in Entra through {channel}.",
        OPERATOR,
        "Where the MDM's maker carries, break a rule on the device first; `remediation stuck` says the rest. Then try again.",
    ),
    ("pilot", "not_seen_again"): Words(
        "The last pilot device went down in Entra through {channel} and was not seen to come up again.",
        OPERATOR,
        "Is it compliant in the MDM? `remediation stuck` says what holds its news up. Then try again.",
    ),
    ("pilot", "link_ended"): Words("The last pilot device lost its link while it was tried.", OPERATOR, PILOT),
    ("lock", "prepared"): Words("Its mark stands in {name} since {at}."),
    ("lock", "not_prepared"): Words(
        "Nobody has seen yet that {name} is free, so no mark is written.", OPERATOR, "remediation lock prepare"
    ),
    ("lock_policy", "not_readable"): Words(
        "The policies cannot be read ({code}).",
        ACCESS,
        "Compare the policy with `remediation lock rule`, word for word. Or grant Policy.Read.All.",
    ),
    ("lock_policy", "none"): Words(
        "No policy asks for {name}: nobody is held back by the mark.", ACCESS, "remediation lock rule shows the policy."
    ),
    ("lock_policy", "holds"): Words("It blocks every device without our mark."),
    ("lock_policy", "not_on"): Words("It is not on: nothing is blocked by it.", ACCESS, "Enable policy: On."),
    ("lock_policy", "does_not_block"): Words("Its grant is not *Block access*.", ACCESS, RULE),
    ("lock_policy", "includes"): Words(
        "Its filter takes devices in, and a device without attributes is in none: it fails open.", ACCESS, RULE
    ),
    ("lock_policy", "platforms"): Words(
        "It leaves out a platform that the lock is for: there nobody is held back.", ACCESS, "Device platforms: Any device."
    ),
    ("lock_policy", "clients"): Words(
        "It leaves out browsers or apps: who uses those is not held back.", ACCESS, "Client apps: not configured."
    ),
    ("lock_policy", "every_app"): Words(
        "It is about all resources, and so about signing in to register a device: whoever is not marked yet may not come to be.",
        ACCESS,
        "Target resources: Office 365, or those that the device policy is about.",
    ),
    ("lock_policy", "unreadable"): Words("Its rule is of a form that we cannot judge.", ACCESS, RULE),
    ("lock_policy", "negative"): Words(
        "Its rule asks for what is *not* there (-ne, -notIn, …), which every device without attributes meets: it fails open for "
        "devices that nobody registered.",
        ACCESS,
        RULE,
    ),
    ("lock_policy", "any_of"): Words("Its rule has an -or: one half is enough to get in.", ACCESS, RULE),
    ("lock_policy", "loose"): Words(
        "Its rule compares loosely (-startsWith, -contains, -in): more values than ours get in.", ACCESS, RULE
    ),
    ("lock_policy", "operator"): Words("Its rule has an operator that we do not know.", ACCESS, RULE),
    ("lock_policy", "claimed"): Words(
        "Its rule asks for a name, model or system, which people and devices choose themselves.", ACCESS, RULE
    ),
    ("lock_policy", "mark_alone"): Words("Its rule does not ask for isCompliant beside the mark.", ACCESS, RULE),
    ("lock_policy", "other_value"): Words("Its rule does not ask for our mark's value.", ACCESS, RULE),
    ("lock_blocks", "seen"): Words("An unregistered device and an unmarked one were both seen blocked."),
    ("lock_blocks", "unregistered_not_seen_blocked"): Words(
        "No unregistered device was seen blocked yet.", ACCESS, "Try one, then: remediation lock blocked"
    ),
    ("lock_blocks", "unmarked_not_seen_blocked"): Words(
        "No registered, compliant device without the mark was seen blocked yet.", ACCESS, "Try one, then: remediation lock blocked"
    ),
    ("clock", "agrees"): Words("Its clock and ours agree (within {seconds} s)."),
    ("clock", "differs"): Words("Its clock is {seconds} s {which} ours.", OPERATOR, "Set this machine's clock by NTP."),
    ("clock", "no_answer"): Words("No remote told its time.", NOBODY, "See above."),
    ("worker", "works"): Words("It takes what is due."),
    ("worker", "never"): Words("No worker has ever run on this database.", OPERATOR, "Start `remediation work`."),
    ("worker", "gone"): Words(
        "Nobody takes what is due since {since}.", OPERATOR, "Start `remediation work`, and look in its log."
    ),
    ("queue", "moves"): Words("Nothing is held up by a bug. Rows that do not rest: {count} (`remediation stuck`)."),
    ("queue", "our_fault"): Words(
        "{count} rows run into a bug of ours.", OPERATOR, "remediation stuck; report it with the worker's log."
    ),
    ("*", "no_token"): Words("Not asked: there is no token.", NOBODY, "See above."),
    ("*", "refused"): Words("It refuses us ({code}).", OPERATOR, "See docs/operating.md."),
    ("*", "busy"): Words("It wants to be left alone for a while.", TIME, "Run this again in some minutes."),
    ("*", "unreachable"): Words("It does not answer ({said}).", OPERATOR, "Address, firewall, DNS, its own status page."),
    ("*", "garbled"): Words(
        "It answers what nobody can read ({said}).", OPERATOR, "Is the address that of the API, with no proxy's page before it?"
    ),
    ("*", "not_found"): Words("There is nothing at this address ({code}).", OPERATOR, "Compare the address in the settings."),
}
NAMES = {
    "settings": "settings",
    "database": "database",
    "service_certificate": "service app's certificate",
    "certificate_authorities": "authorities of device certificates",
    "revocation_lists": "their revocation lists",
    "trusted_authorities": "authorities trusted when calling out",
    "token": "token",
    "permissions": "permissions",
    "credential": "credential of the",
    "directory": "directory",
    "channel": "channel",
    "partner": "Intune partner service",
    "partner_slot": "compliance partner for",
    "partner_groups": "people of the compliance partner for",
    "partner_addresses": "our addresses at Microsoft",
    "heartbeat": "heartbeat",
    "mdm": "MDM",
    "messages": "messages of",
    "sign_in_log": "sign-in log",
    "evidence": "minimum evidence",
    "policy": "our sign-in and the device policies",
    "temporary_access": "temporary access",
    "pilot": "pilot device for",
    "lock": "second lock",
    "lock_policy": "policy of the second lock",
    "lock_blocks": "second lock, tried",
    "clock": "clock of",
    "worker": "worker",
    "queue": "queue",
}


def in_words(finding: Finding) -> Words:
    words = WORDS.get((finding.check, finding.why)) or WORDS["*", finding.why]
    told = {"about": finding.about, **finding.detail}
    return Words(words.seen.format(**told), words.who, words.do.format(**told))


def named(finding: Finding) -> str:
    return f"{NAMES[finding.check]} {finding.about}".strip()
