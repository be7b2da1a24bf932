"""What a patient is told at each triage level, in English and Spanish.

The wording is clinical content: it is versioned and signed off together with the rules, so it
lives here as data and not in the translation catalogues.
"""

from __future__ import annotations

from dataclasses import dataclass

LANGUAGES = ("en", "es")


@dataclass(frozen=True)
class Message:
    """One message, open for formatting with ``{emergency_number}``, ``{advice_line}`` and
    ``{callback_time}``.

    The ``_unattended`` wording is for closed hours, and for a person whom the clinic has no way
    to call: it never says that the team was told. Empty where the message promises nothing.
    """

    id: str
    en: str
    es: str
    en_unattended: str = ""
    es_unattended: str = ""


MESSAGES = {
    message.id: message
    for message in (
        Message(
            "M1",
            en=(
                "Get emergency care now. Call {emergency_number} or go to the nearest emergency "
                "room. Do not drive yourself. Some of your answers can mean a problem that needs "
                "treatment within hours. Do not wait for us to call. You can show this page to "
                "the medical team."
            ),
            es=(
                "Busque atención de emergencia ahora. Llame al {emergency_number} o vaya a la "
                "sala de emergencias más cercana. No maneje. Algunas de sus respuestas pueden "
                "indicar un problema que necesita tratamiento en pocas horas. No espere nuestra "
                "llamada. Puede mostrar esta página al equipo médico."
            ),
            en_unattended=(
                "Get emergency care now. Call {emergency_number} or go to the nearest emergency "
                "room. Do not drive yourself. Some of your answers can mean a problem that needs "
                "treatment within hours. No one here is reading your answers right now. You can "
                "show this page to the medical team."
            ),
            es_unattended=(
                "Busque atención de emergencia ahora. Llame al {emergency_number} o vaya a la "
                "sala de emergencias más cercana. No maneje. Algunas de sus respuestas pueden "
                "indicar un problema que necesita tratamiento en pocas horas. En este momento "
                "nadie aquí está leyendo sus respuestas. Puede mostrar esta página al equipo "
                "médico."
            ),
        ),
        Message(
            "M2",
            en=(
                "Call your maternity unit or pregnancy doctor now. If you cannot reach them, call "
                "{emergency_number}."
            ),
            es=(
                "Llame ahora a su maternidad o a su médico del embarazo. Si no le contestan, "
                "llame al {emergency_number}."
            ),
        ),
        Message(
            "M3",
            en=(
                "You need to be checked today. We have told our team. If you have not heard from "
                "us by {callback_time}, or we are closed, go to urgent care or call "
                "{advice_line}. Call {emergency_number} if you lose feeling between your legs, "
                "cannot control pee or poop, both legs get weak, or you feel faint."
            ),
            es=(
                "Necesita que lo/la revisen hoy. Ya avisamos a nuestro equipo. Si no le hemos "
                "llamado a las {callback_time}, o si está cerrado, vaya a una clínica de "
                "urgencias o llame al {advice_line}. Llame al {emergency_number} si pierde la "
                "sensación entre las piernas, no controla la orina o las heces, se le debilitan "
                "las dos piernas o siente que se desmaya."
            ),
            en_unattended=(
                "You need to be checked today, and we cannot call you. Go to urgent care or call "
                "{advice_line}. Call {emergency_number} if you lose feeling between your legs, "
                "cannot control pee or poop, both legs get weak, or you feel faint."
            ),
            es_unattended=(
                "Necesita que lo/la revisen hoy, y nosotros no podemos llamarle. Vaya a una "
                "clínica de urgencias o llame al {advice_line}. Llame al {emergency_number} si "
                "pierde la sensación entre las piernas, no controla la orina o las heces, se le "
                "debilitan las dos piernas o siente que se desmaya."
            ),
        ),
        Message(
            "M4",
            en=(
                "We would like to see you soon. Please pick one of these early times. If anything "
                "on the first page starts or gets worse, do not wait."
            ),
            es=(
                "Queremos verle pronto. Elija uno de estos horarios cercanos. Si algo de la "
                "primera página aparece o empeora, no espere."
            ),
        ),
        Message(
            "M5",
            en=(
                "Please do not run until you have been checked. Easy walking is fine if it does "
                "not hurt more."
            ),
            es="No corra hasta que lo/la revisen. Puede caminar suave si no le duele más.",
        ),
        Message(
            "M6",
            en=(
                "Thank you. Your answers do not show an emergency sign. They cannot rule one out. "
                "Please book a visit: pain that lasts more than a week should be looked at."
            ),
            es=(
                "Gracias. Sus respuestas no muestran una señal de emergencia, pero no la "
                "descartan. Por favor agende una cita: un dolor que dura más de una semana debe "
                "revisarse."
            ),
        ),
        Message(
            "M7",
            en=(
                "Thank you. Many short spells of back pain settle with lighter activity and time. "
                "You can book now, or read our guide and come back if it goes on past one week, "
                "moves into a leg, or gets in the way of your day."
            ),
            es=(
                "Gracias. Muchos dolores de espalda cortos mejoran con actividad más suave y "
                "tiempo. Puede agendar ahora, o leer nuestra guía y volver si dura más de una "
                "semana, baja a una pierna o afecta su día."
            ),
        ),
    )
}


def render(
    message_id: str,
    *,
    language: str,
    emergency_number: str,
    advice_line: str,
    callback_time: str = "",
) -> str:
    """The message as the patient reads it.

    `callback_time` is the wall-clock time by which somebody will have called. Leave it empty when
    the clinic is closed or has no way to call this person: the unattended wording is used then.
    A language other than English or Spanish gets English.
    """
    message = MESSAGES[message_id]
    spanish = language.split("-")[0] == "es"
    text = message.es if spanish else message.en
    if not callback_time:
        text = (message.es_unattended if spanish else message.en_unattended) or text
    return text.format(
        emergency_number=emergency_number, advice_line=advice_line, callback_time=callback_time
    )
