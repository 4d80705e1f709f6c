"""What the doctor says of Microsoft's side, by check and `why`. Next door: `doctor_words`."""

from .doctor_says import ACCESS, ENTRA, INTUNE, MDM, OPERATOR, TIME, Words

CONSENT = "Grant and consent to it as application permission of the service app, then run this again."
SLOT = "Tenant administration, Connectors and tokens, Partner compliance management; remediation partner show."
PROVISION = "remediation partner provision"
RULE = "remediation lock rule shows the one to paste."
MICROSOFT: dict[tuple[str, str], Words] = {
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
    ("licence", "there"): Words("{used} of {seats} seats are given."),
    ("licence", "none"): Words("The tenant has none.", ENTRA, "Without it Conditional Access or partner compliance does nothing."),
    ("licence", "too_few"): Words("{used} seats are given, and {seats} were bought.", ENTRA, "Buy more, or take some back."),
    ("licence", "not_readable"): Words(
        "The licences cannot be read ({code}).",
        ENTRA,
        "See in the admin center that the tenant has Entra ID P1 and Intune. Or grant LicenseAssignment.Read.All.",
    ),
    ("licence_given", "not_counted"): Words("Nobody has counted yet who lacks one.", OPERATOR, "remediation impact count"),
    ("licence_given", "all"): Words("Everybody in scope had one at {at}."),
    ("licence_given", "people_without"): Words(
        "{count} people in scope had no Intune licence at {at}.", ENTRA, "Assign it; the list: /onboarding/impact."
    ),
    ("registration", "everybody"): Words("Everybody may register a device, {quota} each."),
    ("registration", "some"): Words(
        "Only some people may register a device.", ENTRA, "Devices, Device settings: all who are in scope must be among them."
    ),
    ("registration", "nobody"): Words(
        "Nobody may register a device.", ENTRA, "Devices, Device settings: let users register their devices with Microsoft Entra."
    ),
    ("registration", "small_quota"): Words(
        "Each person may have {quota} devices: a new phone finds no place beside the old entries.", ENTRA, "Raise the maximum."
    ),
    ("registration", "not_readable"): Words(
        "Who may register a device cannot be read ({code}).",
        ENTRA,
        "Look yourself: Devices, Device settings. Or grant Policy.Read.DeviceConfiguration.",
    ),
    ("new_phone", "may_begin"): Words("No policy asks for a compliant device where one is being registered."),
    ("new_phone", "locked_out"): Words(
        "Nobody can begin: these ask for a compliant device where one is being registered: {policies}.",
        ACCESS,
        "Take the user action out of them, or the device control.",
    ),
    ("new_phone", "not_readable"): Words(
        "The policies cannot be read ({code}).",
        ACCESS,
        "Look yourself: none may ask for a compliant device at *Register security information* or *Register or join devices*.",
    ),
    ("by_hand", "authenticator"): Words(
        "No interface tells whether Microsoft Authenticator is deployed to phones.",
        MDM,
        "See that the MDM gives it to all of them.",
    ),
    ("by_hand", "sso_extension"): Words(
        "No interface tells whether Company Portal and its SSO extension profile are deployed to Macs.",
        MDM,
        "See that the MDM gives both to all of them.",
    ),
    ("by_hand", "enrollment_app"): Words(
        "No interface tells which app the MDM enrolls with, so whether the device policies leave it out is not known.",
        ACCESS,
        "See that they do.",
    ),
    ("by_hand", "group_sync"): Words(
        "No interface tells whether Workspace ONE took over the groups as they are now.",
        MDM,
        "After groups changed in Intune, press *Sync Azure Services* there.",
    ),
    ("headroom", "told_to_wait"): Words(
        "It wants no calls until {until}.",
        TIME,
        "All goes on by itself then; if it comes often, lower …_CALLS.",
    ),
    ("headroom", "slowed_down"): Words(
        "It told us to slow down, last at {at}.",
        OPERATOR,
        "Lower our own limit (…_CALLS), or see which other apps call it: they share what it gives.",
    ),
    ("headroom", "not_slowed_down"): Words("It has not told us to slow down within the hour."),
    ("headroom", "room"): Words(
        "{free} of {burst} calls at once are free, and {rate} more each second; it has not told us to slow down within the hour."
    ),
    ("headroom", "used_up"): Words(
        "Just now our own limit leaves no call ({burst} at once, {rate} more each second).",
        OPERATOR,
        "Run this again. If it stays so, what waits is many for this limit (…_CALLS).",
    ),
    ("headroom", "below_published"): Words(
        "Our own limit lets {most} calls through in ten seconds; Microsoft's is {smallest} units for the smallest tenants."
    ),
    ("headroom", "above_smallest"): Words(
        "Our own limit lets {most} calls through in ten seconds; Microsoft's is {smallest} units where fewer than 50 people are, "
        "and {largest} in the largest tenants. No interface tells which is yours.",
        OPERATOR,
        "REMEDIATION_DIRECTORY_CALLS; leave other apps their share.",
    ),
    ("headroom", "above_published"): Words(
        "Our own limit lets {most} calls through in ten seconds, and Microsoft refuses more than {largest} units in any tenant.",
        OPERATOR,
        "Lower REMEDIATION_DIRECTORY_CALLS.",
    ),
    ("directory", "answers"): Words("Graph takes the question and has nobody of that id, as it should."),
    ("directory", "refused"): Words("Graph refuses the question ({code}).", ENTRA, CONSENT),
    ("partner", "answers"): Words("Intune's partner service was found, and takes our questions."),
    ("partner", "not_set_up"): Words(
        "This tenant has no partner compliance service: Intune is not set up there, or not licensed.", INTUNE, "Set Intune up."
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
    ("sign_in_log", "readable"): Words("It can be read: for `bound` it counts beside the claim."),
    ("sign_in_log", "not_readable"): Words(
        "It cannot be read ({code}): for `bound` only the claim counts. Below `bound` it is not needed.",
        ENTRA,
        "For it: AuditLog.Read.All, and Entra ID P1.",
    ),
    ("sign_in_log", "refused"): Words("It is refused ({code}).", ENTRA, CONSENT),
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
}
