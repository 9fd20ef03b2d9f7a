import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { languageMatch } from "../../../../shared/interactions/metrics/language-match.ts";
import { MeasuredText } from "../../../../shared/interactions/metrics/text.ts";

const languageOf = (text: string) => new MeasuredText(text).language;

describe("the language of a text", () => {
  test.each([
    ["en", "How do I reset my password?"],
    ["en", "Why is my invoice higher this month than it was last month?"],
    ["en", "Summarise the notes of the meeting in three points, and keep the names of those who spoke."],
    ["en", "The café’s menu says “crème brûlée”, but what they bring you is a pudding."],
    ["de", "Warum ist meine Rechnung in diesem Monat höher?"],
    ["de", "Schreibe ein kurzes Gedicht über den Herbst."],
    ["fr", "Bonjour, je voudrais annuler ma commande, s'il vous plaît."],
    ["fr", "Écris un court poème sur les feuilles d'automne."],
    ["es", "Hola, quiero cancelar mi pedido porque ya no lo necesito."],
    ["it", "Buongiorno, vorrei annullare il mio ordine."],
    ["pt", "Olá, gostaria de cancelar o meu pedido. Como faço?"],
    ["nl", "Hoe kan ik mijn wachtwoord opnieuw instellen?"],
    ["sv", "Hur återställer jag mitt lösenord?"],
    ["da", "Jeg vil gerne vide, hvad der er blevet af min ordre."],
    ["no", "Jeg ønsker å vite hva som er blitt av bestillingen min nå."],
    ["fi", "Miten voin vaihtaa salasanani, kun en enää muista sitä?"],
    ["pl", "Jak mogę zresetować moje hasło?"],
    ["cs", "Jak mohu obnovit své heslo?"],
    ["hu", "Hogyan állíthatom vissza a jelszavamat?"],
    ["ro", "Cum îmi pot reseta parola?"],
    ["tr", "Şifremi nasıl sıfırlayabilirim ve neden bu kadar uzun sürüyor?"],
    ["id", "Bagaimana saya dapat mengubah kata sandi akun ini?"],
    ["vi", "Làm thế nào để đặt lại mật khẩu của tôi?"],
    ["ru", "Как мне сбросить пароль?"],
    ["uk", "Як мені скинути пароль?"],
    ["bg", "Как мога да сменя паролата си?"],
    ["el", "Πώς μπορώ να επαναφέρω τον κωδικό μου;"],
    ["ar", "كيف يمكنني إعادة تعيين كلمة المرور؟"],
    ["fa", "چگونه می‌توانم رمز عبور خود را بازنشانی کنم؟"],
    ["he", "איך אני מאפס את הסיסמה שלי?"],
    ["hi", "मैं अपना पासवर्ड कैसे रीसेट करूँ?"],
    ["bn", "আমি কীভাবে আমার পাসওয়ার্ড রিসেট করব?"],
    ["ja", "パスワードをリセットするにはどうすればいいですか？"],
    ["zh", "我怎样才能重置密码？"],
    ["zh", "请用 TypeScript 写一个函数，返回两个日期之间的天数。"],
    ["ko", "비밀번호를 어떻게 재설정하나요?"],
    ["th", "ฉันจะรีเซ็ตรหัสผ่านได้อย่างไร"],
  ])("is %s where it is clear: %s", (language, text) => {
    expect(languageOf(text)).toBe(language);
  });

  test.each([
    "",
    " \n",
    "1234 5678",
    "ok",
    "Blue lamp",
    '{"a":1,"b":[1,2,3]}',
    "sk-proj-abcdef0123456789",
    "😀😀😀",
    "const x = foo(bar, baz);",
    "a3f9c2e1-77b2-4c1d-9e1a",
    "kubectl get pods -n prod",
    "lorem ipsum dolor sit amet consectetur",
    "\ud83d\ud83d",
  ])("is not guessed: %j", (text) => {
    expect(languageOf(text)).toBeUndefined();
  });

  test("is a code of two letters or nothing, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        expect(languageOf(text) ?? "en").toMatch(/^[a-z]{2}$/);
      }),
      { numRuns: 300 },
    );
  });

  test("is that of the beginning of a long text", () => {
    const german = "Das ist nicht mehr so einfach, wie es früher einmal war, und das hat seine Gründe. ";
    expect(
      languageOf(german.repeat(10) + "But this is said in English, and it is said at length. ".repeat(50)),
    ).toBe("de");
  });
});

test.each([
  ["Where is my parcel and when will it be here?", "It is on its way and will be there tomorrow.", 1],
  ["Where is my parcel and when will it be here?", "Es ist auf dem Weg und wird morgen da sein.", 0],
  ["Where is my parcel and when will it be here?", "42", undefined],
  ["", "", undefined],
])("languages of %j and %j match: %s", (input, output, expected) => {
  const figures = { inputTokens: null, outputTokens: null, latencyMs: null, costUsd: null };
  const pair = { input: new MeasuredText(input), output: new MeasuredText(output), ...figures };
  expect(languageMatch.measure(pair)).toBe(expected);
});
