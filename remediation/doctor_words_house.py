"""What the doctor says of everything else, by check and `why`; `*` stands for every check. Next door: `doctor_words`."""

from .doctor_says import ENTRA, MDM, NOBODY, OPERATOR, SECURITY, TIME, Words

PILOT = "remediation pilot start --connection NAME --record NUMBER, with a device that got through."
HOUSE: dict[tuple[str, str], Words] = {
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
    ("*", "no_consent"): Words(
        "The service app may do nothing there: its consent was withdrawn, or the app was deleted or disabled ({code}).",
        ENTRA,
        "Grant admin consent again; everything goes on by itself within 15 minutes.",
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
