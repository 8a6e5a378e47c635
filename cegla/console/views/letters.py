"""The letter a new campaign begins with, in each language."""

from cegla.vocabulary.text import Language

_FRAME = """<mjml>
  <mj-body background-color="#f6f3ef">
    <mj-section background-color="#ffffff" padding="24px">
      <mj-column>
        <mj-text font-size="20px" font-weight="bold">{title}</mj-text>
        <mj-text font-size="16px" line-height="1.5">{text}</mj-text>
        <mj-button background-color="#9c3520" href="https://sklep.example/">{button}</mj-button>
      </mj-column>
    </mj-section>
    <mj-section>
      <mj-column>
        <mj-text align="center" font-size="12px" color="#655b54">{footer} <a href="{{{{ unsubscribe_url }}}}">{leave}</a></mj-text>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>
"""

STARTER: dict[Language, dict[str, str]] = {
    "pl": {
        "subject": 'Dzień dobry{% if person.first_name %}, {{ person.first_name }}{% endif %}: mamy coś dla Ciebie',
        "mjml": _FRAME.format(
            title='Dzień dobry, {{ person.first_name | default: "miło Cię widzieć" }}!',
            text="Dziękujemy, że z nami kupujesz. Zobacz, co przygotowaliśmy w tym tygodniu.",
            button="Zobacz nowości", footer="Piszemy, bo zgodziłaś lub zgodziłeś się na wiadomości.", leave="Wypisz się",
        ),
    },
    "en": {
        "subject": 'Hello{% if person.first_name %}, {{ person.first_name }}{% endif %}: something for you',
        "mjml": _FRAME.format(
            title='Hello, {{ person.first_name | default: "good to see you" }}!',
            text="Thank you for shopping with us. See what we prepared this week.",
            button="See what is new", footer="We write because you agreed to messages.", leave="Unsubscribe",
        ),
    },
}  # fmt: skip
