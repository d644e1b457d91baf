import { Upload } from "lucide-react";
import { useRef } from "react";
import { ACCEPTED } from "../../session/mediaIn";
import { Button } from "../../ui/Button";

interface FilePickerProps {
  readonly onFiles: (files: readonly File[]) => void;
  readonly label?: string;
}

export function FilePicker({ onFiles, label = "Choose files" }: FilePickerProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button look="primary" icon={<Upload size={18} />} onClick={() => input.current?.click()}>
        {label}
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        multiple
        accept={ACCEPTED}
        data-testid="file-input"
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
    </>
  );
}
