"""Names of people and queues, as data."""

GIVEN = (
    "Ada Björn Chiara Dmitri Eluned Fátima Goran Hana Ibrahim Jürgen Keiko Łukasz Màiri Ngozi "
    "Óscar Priya Quentin Renée Søren Thandiwe Uxía Võ Wiremu Xóchitl Yusuf Zoë"
).split()

FAMILY = (
    "Ferreira|Åkesson|Rossi|Volkov|O'Brien|Haddad|Kovačić|Nováková|Diallo|Müller|Tanaka|Wójcik|"
    "MacLeod|Okafor|Núñez|Raghunathan|Dubois|Lefèvre|Kjær|Dlamini|Castro|Nguyễn|Ngata|"
    "Ramírez-Ortiz|Demir|van der Berg|Smith|Kim|Al-Rashid"
).split("|")
