"""Who gets what from each route: one row for every (method, route) of the URL map, one status for every role. A missing cell fails.

nobody: not signed in · mia: on a journey · noah: signed in, on no journey · hanna: on no journey, with `Helpdesk.Read`.
adam: an administrator, whose role opens few of these alone; where he has no cell, he gets what Noah gets. ida: with `Helpdesk.Act`
as well; where she has no cell, she gets what Hanna gets.
POSTs carry a right form token, so that the status is the guard's and the view's and not that of the forgery check.
"""

ROLES = ("nobody", "mia", "noah", "hanna")
PUBLIC = {"nobody": 200, "mia": 200, "noah": 200, "hanna": 200}
ELSEWHERE = {"nobody": 303, "mia": 303, "noah": 303, "hanna": 303}
ADMINS = {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 200}
GOES_ON = {"nobody": 200, "mia": 303, "noah": 200, "hanna": 200}

MATRIX: dict[tuple[str, str], dict[str, int]] = {
    ("GET", "/"): GOES_ON,
    ("GET", "/start"): GOES_ON,
    ("GET", "/enrollment"): GOES_ON,
    ("GET", "/remediation"): GOES_ON,
    ("GET", "/start/<path:rest>"): ELSEWHERE,
    ("GET", "/enrollment/<path:rest>"): ELSEWHERE,
    ("GET", "/remediation/<path:rest>"): ELSEWHERE,
    ("GET", "/cannot-sign-in"): PUBLIC,
    ("POST", "/cannot-sign-in"): ELSEWHERE,
    ("GET", "/refused/<key>"): PUBLIC,
    ("GET", "/what-microsoft-says"): PUBLIC,
    ("POST", "/what-microsoft-says"): ELSEWHERE,
    # Entra does not answer in these tests: 503 says that anyone may begin to sign in. `test_sign_in` has an Entra.
    ("GET", "/sign-in"): {"nobody": 503, "mia": 503, "noah": 503, "hanna": 503},
    ("GET", "/sign-in/again"): {"nobody": 401, "mia": 303, "noah": 409, "hanna": 409},
    ("GET", "/signed-in"): {"nobody": 400, "mia": 400, "noah": 400, "hanna": 400},
    ("GET", "/sign-out"): PUBLIC,
    ("POST", "/sign-out"): {"nobody": 303, "mia": 303, "noah": 303, "hanna": 303},
    ("POST", "/sign-out/everywhere"): {"nobody": 401, "mia": 303, "noah": 303, "hanna": 303},
    ("GET", "/signed-out"): PUBLIC,
    ("GET", "/journey"): {"nobody": 401, "mia": 200, "noah": 409, "hanna": 409},
    ("GET", "/journey/status"): {"nobody": 401, "mia": 200, "noah": 409, "hanna": 409},
    ("POST", "/journey/check"): {"nobody": 401, "mia": 303, "noah": 409, "hanna": 409},
    ("POST", "/journey/this-device"): {"nobody": 401, "mia": 400, "noah": 409, "hanna": 409},
    ("POST", "/journey/tell-me"): {"nobody": 401, "mia": 303, "noah": 409, "hanna": 409},
    ("POST", "/journey/still-blocked"): {"nobody": 401, "mia": 303, "noah": 409, "hanna": 409},
    ("POST", "/journey/choose"): {"nobody": 401, "mia": 400, "noah": 409, "hanna": 409},
    ("GET", "/journey/device"): {"nobody": 401, "mia": 200, "noah": 409, "hanna": 409},
    ("POST", "/journey/device"): {"nobody": 401, "mia": 400, "noah": 409, "hanna": 409},
    ("GET", "/journey/<path:rest>"): {"nobody": 401, "mia": 303, "noah": 303, "hanna": 303},
    ("GET", "/possession/<token>"): {"nobody": 200, "mia": 200, "noah": 403, "hanna": 403},
    ("POST", "/possession/<token>"): {"nobody": 401, "mia": 303, "noah": 403, "hanna": 403},
    ("POST", "/possession/<token>/not-me"): {"nobody": 401, "mia": 303, "noah": 403, "hanna": 403},
    ("GET", "/message-test/<test>"): PUBLIC,
    ("POST", "/message-test/<test>"): ELSEWHERE,
    ("GET", "/certificate"): {"nobody": 401, "mia": 303, "noah": 409, "hanna": 409},
    # These two live on the second host name; on this one everybody is led back. `test_certificate_pages` has them there.
    ("GET", "/certificate/<handle>"): ELSEWHERE,
    ("POST", "/certificate/<handle>"): ELSEWHERE,
    ("GET", "/certificate-refused"): {"nobody": 403, "mia": 403, "noah": 403, "hanna": 403},
    ("GET", "/certificate/back/<back>"): {"nobody": 401, "mia": 410, "noah": 410, "hanna": 410},
    ("GET", "/helpdesk"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 200},
    ("GET", "/helpdesk/person/<oid>"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 200},
    ("GET", "/helpdesk/figures"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 200, "adam": 200},
    ("GET", "/helpdesk/figures.csv"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 400, "adam": 400},  # which table?
    ("GET", "/helpdesk/figures.json"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 200, "adam": 200},
    ("GET", "/helpdesk/connections"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 200, "adam": 200},
    ("POST", "/helpdesk/person/<oid>/end-sessions"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "ida": 400},
    # The set-up. Whoever came by its link may all of it as well: `test_set_up` has them.
    ("GET", "/onboarding"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 200},
    ("GET", "/onboarding/<step>"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 404},
    ("POST", "/onboarding/<step>"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 404},
    ("POST", "/onboarding/<step>/look"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 404},
    ("GET", "/onboarding/<step>/request"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 404},
    ("GET", "/onboarding/consent/begin"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 409},
    ("GET", "/onboarding/consent/back"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 400},
    ("POST", "/onboarding/credential/make"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 303},
    ("GET", "/onboarding/credential/certificate.pem"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 409},
    ("POST", "/onboarding/credential/use"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 409},
    ("GET", "/onboarding/mdm/connection/<connection>"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 400},
    ("POST", "/onboarding/mdm/connection/<connection>"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 400},
    ("POST", "/onboarding/scope/search"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 303},
    ("POST", "/onboarding/scope/add"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 303},
    ("POST", "/onboarding/scope/remove"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 303},
    ("POST", "/onboarding/scope/forget"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 303},
    ("POST", "/onboarding/scope/count"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 303},
    ("POST", "/onboarding/scope/choose"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 303},
    ("POST", "/onboarding/partner/check"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 303},
    ("POST", "/onboarding/partner/provision"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 303},
    ("POST", "/onboarding/partner/seen"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 303},
    ("POST", "/onboarding/arrival/open"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 400},
    ("POST", "/onboarding/excluded/check"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 303},
    ("POST", "/onboarding/excluded/seen"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 303},
    ("POST", "/onboarding/pilot/start"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 303},
    ("POST", "/onboarding/pilot/stop"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 400},
    ("GET", "/onboarding/confirm"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 409},
    ("POST", "/onboarding/confirm"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 409},
    ("GET", "/onboarding/confirm/sign-in"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "adam": 409},
    ("GET", "/set-up/<token>"): {"nobody": 410, "mia": 410, "noah": 410, "hanna": 410},
    ("POST", "/set-up/<token>"): {"nobody": 410, "mia": 410, "noah": 410, "hanna": 410},
    # The impact preview and each step as a person sees it: an administrator's. `test_impact_pages` has a count behind them.
    ("GET", "/onboarding/impact"): ADMINS,
    ("GET", "/onboarding/impact/status"): ADMINS,
    ("POST", "/onboarding/impact/count"): {**ADMINS, "adam": 303},
    ("POST", "/onboarding/impact/stop"): {**ADMINS, "adam": 409},
    ("GET", "/onboarding/impact.csv"): {**ADMINS, "adam": 404},
    ("GET", "/onboarding/impact.json"): {**ADMINS, "adam": 404},
    ("GET", "/onboarding/impact/people"): {**ADMINS, "adam": 404},
    ("GET", "/onboarding/impact/people.csv"): {**ADMINS, "adam": 404},
    ("GET", "/onboarding/impact/tell"): {**ADMINS, "adam": 404},
    ("POST", "/onboarding/impact/tell"): {**ADMINS, "adam": 400},
    ("POST", "/onboarding/impact/waves/<wave>/stop"): {**ADMINS, "adam": 409},
    ("GET", "/onboarding/preview"): ADMINS,
    ("GET", "/onboarding/preview/<step>/<platform>"): {**ADMINS, "adam": 404},
    ("POST", "/helpdesk/person/<oid>/ask"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "ida": 303},
    ("GET", "/helpdesk/person/<oid>/repair/<which>"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "ida": 200},
    ("POST", "/helpdesk/person/<oid>/repair/<which>"): {"nobody": 401, "mia": 403, "noah": 403, "hanna": 403, "ida": 400},
    # A start link leads to the start page, whoever follows it.
    ("GET", "/s"): ELSEWHERE,
    ("GET", "/s/<code>"): ELSEWHERE,
    ("GET", "/s/<path:rest>"): ELSEWHERE,
    # What an MDM sends: no person may, whoever they are. `test_webhooks` has the MDM.
    ("GET", "/hooks/mdm/<connection>"): {"nobody": 401, "mia": 401, "noah": 401, "hanna": 401},
    ("POST", "/hooks/mdm/<connection>"): {"nobody": 401, "mia": 401, "noah": 401, "hanna": 401},
    # For programs with a token: whoever is signed in here is nobody there. `test_api_tokens` has the programs.
    **{
        (method, f"/api/v1{rule}"): {"nobody": 404, "mia": 404, "noah": 404, "hanna": 404}
        for method, rule in (
            ("POST", "/search"),
            ("GET", "/people/<oid>"),
            ("GET", "/people/<oid>/timeline"),
            ("POST", "/people/<oid>/sign-out"),
            ("GET", "/people/<oid>/repairs"),
            ("POST", "/people/<oid>/repairs/<repair>"),
            ("GET", "/devices/<device_id>"),
            ("POST", "/devices/search"),
            ("GET", "/mdm/<connection>/records/<record_id>"),
            ("GET", "/caller"),
            ("GET", "/stuck"),
            ("GET", "/figures"),
            ("GET", "/audit"),
        )
    },
    ("GET", "/api/v1/openapi.json"): PUBLIC,
    ("GET", "/static/<name>"): PUBLIC,
    ("GET", "/health"): PUBLIC,
    ("GET", "/style"): PUBLIC,
}
