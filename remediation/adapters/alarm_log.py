"""Alarms into the log: always, so that whoever collects logs misses none. Next door: `mail`, `alarm_webhook`."""

import structlog

from ..ports import Alarm

log = structlog.get_logger("remediation.alarm")


class AlarmLog:
    name = "log"

    def tell(self, alarm: Alarm) -> None:
        say = log.warning if alarm.level else log.info
        say("alarm", alarm=alarm.id, source=alarm.source, level_hours=alarm.hours, subject=alarm.subject, text=alarm.text)
